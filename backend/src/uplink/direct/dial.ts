import { createHash, type X509Certificate } from 'node:crypto'
import { lookup as resolve } from 'node:dns'
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as startTls, type TLSSocket } from 'node:tls'

/** Where a DTMA is dialled, and what shows that it is the one. */
export interface DialTarget {
  /** IP address, or a name. */
  readonly host: string
  readonly port: number
  /** The key that it must hold: Ed25519, SPKI DER, base64, as it enrolled with. Absent: plain HTTP was configured. */
  readonly publicKey?: string
}

/** What a dial ended with, in the order in which it can. */
export type DialFault =
  /** The name of the host leads nowhere. */
  | 'unresolved'
  /** This control plane is not allowed to dial that address. */
  | 'forbidden'
  /** The machine is there; nothing listens. */
  | 'refused'
  /** Nothing comes back: no machine, no way to it, or a firewall. */
  | 'no_connection'
  /** Something listens and does not speak TLS as DTMA does. */
  | 'no_tls'
  /** Somebody else is there: another key. */
  | 'pin_mismatch'

export class DialError extends Error {
  override readonly name = 'DialError'
  readonly fault: DialFault

  constructor(fault: DialFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

export interface DialOptions {
  /** Which addresses may be dialled; asked at the moment of dialling. */
  readonly mayDial: (address: string) => boolean
  readonly signal?: AbortSignal
}

/** For a name and a connection, and again for TLS: a machine far away needs two seconds each. */
const PHASE_MS = 4_000
const KEEP_ALIVE_MS = 15_000

/**
 * Opens a connection to a DTMA over which HTTP/2 can begin. With TLS it resolves only when the right key was seen: nothing
 * of ours, neither key nor request, goes to whoever holds another one. Authorities, names and dates play no part.
 * @throws {DialError}
 */
export async function dialDtma(target: DialTarget, { mayDial, signal }: DialOptions): Promise<Socket> {
  const { host, port, publicKey } = target
  if (isIP(host) !== 0 && !mayDial(host)) throw new DialError('forbidden', `${host} may not be dialled`)
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    lookup: only(mayDial),
  })
  await within(socket, 'connect', 'no_connection', `${host}:${port} does not accept connections`, signal)
  if (publicKey === undefined) return socket
  const secure = startTls({ socket, ALPNProtocols: ['h2'], minVersion: 'TLSv1.3', rejectUnauthorized: false })
  await within(secure, 'secureConnect', 'no_tls', `${host}:${port} does not speak TLS as DTMA does`, signal)
  const shown = keyOf(secure)
  if (shown !== publicKey) {
    secure.destroy()
    throw new DialError(
      'pin_mismatch',
      `${host}:${port} shows the key ${fingerprintOf(shown)}, not ${fingerprintOf(publicKey)}`,
    )
  }
  if (secure.alpnProtocol === 'h2') return secure
  secure.destroy()
  throw new DialError('no_tls', `${host}:${port} does not speak HTTP/2 over TLS`)
}

/** SHA-256 of a key, shortened: enough for a person to compare. */
const fingerprintOf = (publicKey: string): string =>
  publicKey === '' ? 'none' : createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16)

/** Base64 of the SPKI of what the other end showed, and proved in the handshake to hold. */
const keyOf = (socket: TLSSocket): string => {
  const shown: X509Certificate | undefined = socket.getPeerX509Certificate()
  return shown?.publicKey.export({ format: 'der', type: 'spki' }).toString('base64') ?? ''
}

/** Waits for an event of a socket that is under way; whatever else comes first ends it. */
function within(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  fault: DialFault,
  otherwise: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      clean()
      socket.on('error', () => {}) // what it still says is of no interest
      socket.destroy()
      reject(error)
    }
    const giveUp = () => fail(signal?.reason)
    const failed = (cause: NodeJS.ErrnoException) =>
      fail(cause instanceof DialError ? cause : named(cause, fault, otherwise))
    const closed = () => fail(new DialError(fault, `${otherwise}: it was closed`))
    const timer = setTimeout(
      () => fail(new DialError(fault, `${otherwise}: no answer within ${PHASE_MS / 1_000} s`)),
      PHASE_MS,
    )
    const done = () => {
      clean()
      resolve()
    }
    function clean(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      socket.off(event, done).off('error', failed).off('close', closed)
    }
    socket.once(event, done).once('error', failed).once('close', closed)
    signal?.addEventListener('abort', giveUp)
    if (signal?.aborted) giveUp()
  })
}

function named(cause: NodeJS.ErrnoException, fault: DialFault, otherwise: string): DialError {
  if (cause.syscall === 'getaddrinfo')
    return new DialError('unresolved', `the name is not known (${cause.code})`, { cause })
  const refused = cause.code === 'ECONNREFUSED' && fault === 'no_connection'
  return new DialError(refused ? 'refused' : fault, `${otherwise} (${cause.code ?? cause.message})`, { cause })
}

/** Looks a name up and lets nothing through that may not be dialled: a name cannot change between check and use. */
const only =
  (mayDial: (address: string) => boolean): LookupFunction =>
  (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const [first] = found.filter(({ address }) => mayDial(address))
      if (!first || found.some(({ address }) => !mayDial(address)))
        return callback(new DialError('forbidden', `${hostname} leads to an address that may not be dialled`), '')
      if (options.all) callback(null, found)
      else callback(null, first.address, first.family)
    })
