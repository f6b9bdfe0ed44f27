import { once } from 'node:events'
import { problem, type SshHostKey, type SshPlace } from '@agentopia/api'
import ssh2, { type Client, type ConnectConfig } from 'ssh2'
import { dial } from './dial.ts'
import { algorithmsFor, hostKeyOf } from './host-key.ts'

/** What proves to the server who comes. */
export type Proof =
  | { readonly password: string }
  | { readonly privateKey: string; readonly passphrase?: string | undefined }

export interface SshDoor extends SshPlace {
  readonly recorded?: SshHostKey | undefined
}

const HANDSHAKE_MS = 20_000
const KEEPALIVE_MS = 10_000

/** The host key of a server; nobody logs in. @throws {ProblemError} `ssh-unreachable`. */
export async function lookAtHostKey(door: SshDoor, signal: AbortSignal): Promise<SshHostKey> {
  let seen: SshHostKey | undefined
  const look = (key: SshHostKey) => {
    seen = key
    return 'only looked at'
  }
  await openSsh(door, { refusal: look }, signal).then(
    (client) => client.end(),
    (error: unknown) => {
      if (!seen) throw error
    },
  )
  return seen!
}

export interface SshOpening {
  /** Why this host key is not accepted; `undefined`: it is. Nothing is sent before that is known. */
  readonly refusal: (seen: SshHostKey) => string | undefined
  readonly proof?: Proof
}

/** Logs in. @throws {ProblemError} `ssh-unreachable`, `ssh-host-key-changed`, `ssh-login-refused`. */
export async function openSsh(
  { host, port, user, recorded }: SshDoor,
  { refusal, proof }: SshOpening,
  signal: AbortSignal,
): Promise<Client> {
  const config = proof ? authOf(proof) : {}
  const limit = AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_MS)])
  const sock = await dial(host, port, limit)
  const client = new ssh2.Client()
  let refused: string | undefined
  if (proof && 'password' in proof)
    client.on('keyboard-interactive', (_name, _words, _language, prompts, finish) =>
      finish(prompts.length === 1 ? [proof.password] : []),
    )
  try {
    const ready = once(client, 'ready', { signal: limit })
    client.connect({
      ...config,
      sock,
      username: user,
      readyTimeout: HANDSHAKE_MS,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: 3,
      algorithms: { serverHostKey: algorithmsFor(recorded) },
      hostVerifier: (blob: Buffer) => {
        refused = refusal(hostKeyOf(blob))
        return refused === undefined
      },
    })
    await ready
    client.on('error', () => client.destroy()) // whoever uses it sees that it closed
    return client
  } catch (error) {
    client.on('error', () => undefined)
    client.destroy()
    if (refused !== undefined) throw problem('ssh-host-key-changed', refused)
    throw problemOf(error as Error & { level?: string }, { host, port, user })
  }
}

function authOf(proof: Proof): ConnectConfig {
  if ('password' in proof) return { password: proof.password, tryKeyboard: true }
  const { privateKey, passphrase } = proof
  const parsed = ssh2.utils.parseKey(privateKey, passphrase)
  if (parsed instanceof Error)
    throw problem(
      'ssh-login-refused',
      passphrase ? 'The private key does not open with that' : 'The private key cannot be read',
    )
  return { privateKey, ...(passphrase === undefined ? {} : { passphrase }) }
}

function problemOf(error: Error & { level?: string }, { host, port, user }: SshPlace) {
  if (error.level === 'client-authentication')
    return problem('ssh-login-refused', `${host} let ${user} not in`, { cause: error })
  const why = error.name === 'AbortError' ? `no handshake within ${HANDSHAKE_MS / 1_000} s` : error.message
  return problem('ssh-unreachable', `${host} port ${port}: ${why}`, { cause: error })
}
