import { type Client, createClient, problem } from '@agentopia/api'
import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from 'citty'
import { createOutput, type Output, type Streams } from './output.ts'
import { readSettings, type Settings } from './settings.ts'

/** What the process gives to every command; tests bring their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly streams: Streams
  /** May the usage be coloured? Only where a terminal shows it. */
  readonly colours?: { readonly out: boolean; readonly err: boolean }
  readonly fetch?: typeof fetch
  /** All of standard input, as text. */
  readonly readInput: () => Promise<string>
  readonly signal: AbortSignal
}

export interface CommandRun<Args extends ArgsDef> {
  readonly args: ParsedArgs<Args>
  readonly output: Output
  readonly settings: Settings
  readonly world: World
  readonly signal: AbortSignal
}

const JSON_FLAG = {
  json: { type: 'boolean', description: 'Print JSON on stdout and nothing else', default: false },
} as const satisfies ArgsDef

type WithJson<Args extends ArgsDef> = Args & typeof JSON_FLAG

/** A command that may run without being signed in. Every command knows `--json`. */
export const openCommand = <const Args extends ArgsDef>(
  name: string,
  description: string,
  args: Args,
  run: (context: CommandRun<WithJson<Args>>) => Promise<void>,
): CommandDef<WithJson<Args>> =>
  defineCommand<WithJson<Args>>({
    meta: { name, description },
    args: { ...args, ...JSON_FLAG } as WithJson<Args>,
    run: async ({ args: given, data }) => {
      const world = data as World
      const output = createOutput((given as { json: boolean }).json, world.streams)
      await run({ args: given, output, settings: await readSettings(world.env), world, signal: world.signal })
    },
  })

/** A command of somebody who is signed in: it gets the client. */
export const command = <const Args extends ArgsDef>(
  name: string,
  description: string,
  args: Args,
  run: (context: CommandRun<WithJson<Args>> & { readonly client: Client }) => Promise<void>,
): CommandDef<WithJson<Args>> =>
  openCommand(name, description, args, async (context) => {
    if (!context.settings.token)
      throw problem('unauthenticated', 'No token is stored; run `agentopia login`, or set AGENTOPIA_TOKEN')
    await run({ ...context, client: clientOf(context.world, context.settings) })
  })

export const clientOf = ({ fetch }: World, { url, token }: Settings): Client =>
  createClient({ baseUrl: url.replace(/\/$/, ''), ...(token ? { token } : {}), ...(fetch ? { fetch } : {}) })

/** A noun with its verbs. */
// biome-ignore lint/suspicious/noExplicitAny: citty's own type for a mixed set of commands
export const noun = (name: string, description: string, verbs: Record<string, CommandDef<any>>): CommandDef =>
  defineCommand({ meta: { name, description }, subCommands: verbs })
