import { stripVTControlCharacters } from 'node:util'
import { type CommandDef, renderUsage, runCommand } from 'citty'
import { agentopia } from './agentopia.ts'
import type { World } from './command.ts'
import { failureOf } from './failure.ts'
import { asJson, printableLines } from './output.ts'
import { readSettings } from './settings.ts'
import { VERSION } from './version.ts'

/** Runs one command line and returns its exit code: 0, 1 (problem), 64 (usage), 69 (no control plane), 130 (interrupted). */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const { out, err } = world.streams
  const { found, parent, rest } = resolve(argv)
  if (argv.length === 0 || argv.includes('--help') || argv.includes('-h')) {
    out(await usageOf(found, parent, world.colours?.out))
    return 0
  }
  if (argv[0] === '--version') {
    out(`${VERSION}\n`)
    return 0
  }
  try {
    await runCommand(found, { rawArgs: [...rest], data: world })
    return 0
  } catch (error) {
    if (world.signal.aborted) return 130
    const { exitCode, json, lines } = failureOf(error, (await readSettings(world.env)).url)
    err(argv.includes('--json') ? `${asJson(json)}\n` : `${printableLines(lines.join('\n'))}\n`)
    if (exitCode === 64 && !argv.includes('--json')) err(`\n${await usageOf(found, parent, world.colours?.err)}`)
    return exitCode
  }
}

async function usageOf(found: CommandDef, parent: CommandDef | undefined, coloured = false): Promise<string> {
  const usage = await renderUsage(found, parent)
  const lines = (coloured ? usage : stripVTControlCharacters(usage)).split('\n').map((line) => line.trimEnd())
  return `${lines.join('\n').trimEnd()}\n`
}

interface Resolved {
  readonly found: CommandDef
  readonly parent: CommandDef | undefined
  /** What follows the words that name the command. */
  readonly rest: readonly string[]
}

/** The deepest command that the leading words name. */
function resolve(argv: readonly string[]): Resolved {
  let found = agentopia as CommandDef
  let parent: CommandDef | undefined
  let depth = 0
  for (const word of argv) {
    const next = (found.subCommands as Readonly<Record<string, CommandDef>> | undefined)?.[word]
    if (!next) break
    parent = found
    found = next
    depth += 1
  }
  return { found, parent, rest: argv.slice(depth) }
}
