/**
 * What went wrong between us and the Docker Engine.
 * `down`: nobody answers on the socket. `hung`: somebody does not answer in time. `auth`: a registry wants other credentials.
 * `unreachable`: a registry does not answer. `untrusted`: its certificate is not. `busy`: it wants to be asked less often.
 * `no-firewall`: the engine's own rules are gone, and it cannot add to them. `altered`: what it sent is not what was asked for. `no-such-platform`: it has the image for other machines only. `invalid`: the engine refuses our request. `failed`: it tried and could not.
 */
export type EngineFault =
  | 'down'
  | 'hung'
  | 'not-found'
  | 'conflict'
  | 'disk-full'
  | 'auth'
  | 'unreachable'
  | 'untrusted'
  | 'busy'
  | 'altered'
  | 'no-firewall'
  | 'no-such-platform'
  | 'invalid'
  | 'failed'

export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly fault: EngineFault

  constructor(fault: EngineFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

/** Socket errors that mean: no engine listens there, or it went away. */
const DOWN = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES', 'EPERM', 'ECONNRESET', 'EPIPE', 'ENOTSOCK', 'ENOTDIR'])

/** Names the failure of a call that got no answer. */
export function faultOfSocket(error: unknown, what: string): EngineError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const fault = DOWN.has(code) ? 'down' : 'failed'
  const why =
    code === 'EACCES' || code === 'EPERM'
      ? 'this process may not open the Docker socket'
      : code === 'ENOENT' || code === 'ECONNREFUSED'
        ? 'Docker is not running, or its socket is not here'
        : `the connection broke (${code || String(error)})`
  return new EngineError(fault, `${what}: ${why}`, { cause: error })
}

/** Names the failure of a call that the engine answered with `status` and `message`. */
export function faultOfStatus(status: number, message: string, what: string): EngineError {
  return new EngineError(faultOfMessage(message) ?? faultByStatus(status), `${what}: ${message || `status ${status}`}`)
}

function faultByStatus(status: number): EngineFault {
  if (status === 404) return 'not-found'
  if (status === 409) return 'conflict'
  if (status === 401 || status === 403) return 'auth'
  return status >= 400 && status < 500 ? 'invalid' : 'failed'
}

/** The engine reports most failures of registries and disks as a sentence only. `undefined`: the sentence says nothing of the kind. */
export function faultOfMessage(message: string): EngineFault | undefined {
  if (/iptables failed|failed to set ?up ip tables|nftables.*failed/i.test(message)) return 'no-firewall'
  if (/no space left on device|disk quota exceeded/i.test(message)) return 'disk-full'
  if (/toomanyrequests|too many requests|\b429\b/i.test(message)) return 'busy'
  if (/no matching manifest for|no match for platform/i.test(message)) return 'no-such-platform'
  if (
    /verification failed|manifest verification|unexpected commit digest|digest mismatch|does not match digest/i.test(
      message,
    )
  )
    return 'altered'
  if (/x509|certificate signed by unknown|tls: failed to verify/i.test(message)) return 'untrusted'
  if (
    /unauthorized|authentication required|no basic auth|denied:|access denied|may require 'docker login'/i.test(message)
  )
    return 'auth'
  if (/manifest unknown|manifest for .* not found|not found: manifest|no such image|name unknown/i.test(message))
    return 'not-found'
  if (
    /dial tcp|unexpected HTTP status: 5\d\d|no such host|i\/o timeout|connection refused|TLS handshake|Client\.Timeout|context deadline exceeded|request canceled|network is unreachable|EOF$/i.test(
      message,
    )
  )
    return 'unreachable'
  return undefined
}
