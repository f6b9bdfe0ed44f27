import { readFile } from 'node:fs/promises'
import {
  forgetSshHostKey,
  makeSshKey,
  problem,
  readEventStream,
  readSshHostKey,
  runOverSsh,
  SshAction,
  SshEvent,
  type SshHostKey,
  type SshLogin,
} from '@agentopia/api'
import { command, type World } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { facts, printable } from '../../output.ts'

const TOOLBOX = { toolbox: { type: 'positional', description: 'Name or id', required: true } } as const

export const toolboxHostKey = command(
  'host-key',
  'Show the host key of a server over SSH, to be compared with `ssh-keygen -lf` on the server itself',
  { ...TOOLBOX, forget: { type: 'boolean', description: 'Forget the recorded one first', default: false } },
  async ({ client, args, output }) => {
    const params = { toolboxId: (await findToolbox(client, args.toolbox)).id }
    if (args.forget) await client.call(forgetSshHostKey, { params })
    output.result(await client.call(readSshHostKey, { params }), ({ seen, recorded }) =>
      facts([
        ['seen', inShort(seen)],
        ['recorded', recorded && inShort(recorded)],
        ['', recorded && recorded.fingerprint !== seen.fingerprint ? 'They differ: is it the same server?' : undefined],
      ]),
    )
  },
)

export const toolboxSshKey = command(
  'ssh-key',
  "Print the public half of the account's SSH key, a line for authorized_keys",
  {},
  async ({ client, output }) => output.result(await client.call(makeSshKey, {}), ({ publicKey }) => publicKey),
)

/** Secrets come by standard input or from a file, never by argument: arguments are visible to every process of the machine. */
export const toolboxPush = command(
  'push',
  'Install, repair or uninstall DTMA over SSH, and follow it line by line',
  {
    ...TOOLBOX,
    action: { type: 'enum', options: SshAction.options, description: 'What to do', default: 'install' },
    'host-key': { type: 'string', description: 'Fingerprint that you compared; needed until one is recorded' },
    password: { type: 'boolean', description: 'Log in with a password, pasted on standard input', default: false },
    key: { type: 'string', description: 'Log in with the private key in this file. Default: the key of the account' },
  },
  async ({ client, args, output, world, signal }) => {
    const { id: toolboxId, ssh, name } = await findToolbox(client, args.toolbox)
    const hostKey = args['host-key'] ?? ssh?.hostKey?.fingerprint
    if (hostKey === undefined)
      throw problem('invalid-request', `See \`agentopia toolbox host-key ${name}\`, compare, and pass --host-key`)
    if (args.password) output.note('Paste the password, then press Enter:')
    const login = await loginOf(args, world)
    const body = { action: args.action as SshAction, hostKey, login }
    const response = await client.open(runOverSsh, { params: { toolboxId }, body }, { signal })
    let end: Extract<SshEvent, { type: 'end' }> | undefined
    for await (const { data } of readEventStream(response, SshEvent)) {
      if (data.type === 'end') end = data
      output.event(data, (event) => (event.type === 'line' ? printable(event.text) : event.summary))
    }
    if (!end?.ok) throw problem('ssh-failed', end?.summary ?? 'The connection to the control plane broke')
  },
)

async function loginOf(
  { password, key }: { password: boolean; key?: string | undefined },
  world: World,
): Promise<SshLogin> {
  if (password) return { type: 'password', password: (await world.readInput()).replace(/\r?\n$/, '') }
  if (key !== undefined) return { type: 'private-key', privateKey: await readFile(key, 'utf8') }
  return { type: 'account-key' }
}

const inShort = ({ fingerprint, type }: SshHostKey): string => `${fingerprint} (${type})`
