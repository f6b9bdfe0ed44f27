import { createHash } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'

/** `sha256//<base64>` of public keys (SPKI), as curl writes them: the present one, and the next. */
export type Pins = readonly string[]

const DIAL_MS = 15_000

/** The other end has another key than it should: it is not our control plane, whoever vouches for it. */
export class PinMismatch extends Error {
  override readonly name = 'PinMismatch'
}

/**
 * Opens a TLS connection to whoever holds a pinned key. The pin alone decides: authorities are not asked.
 * Resolves only when the key was seen, so that nothing of ours is sent before.
 * @throws {PinMismatch} For any other key.
 */
export function connectPinned(url: URL, pins: Pins, signal?: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const socket = connect({
      host,
      port: Number(url.port || 443),
      ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
    })
    const giveUp = () => socket.destroy(signal?.reason ?? new Error('aborted'))
    signal?.addEventListener('abort', giveUp)
    socket.setTimeout(DIAL_MS, () => socket.destroy(new Error(`no TLS handshake within ${DIAL_MS / 1_000} s`)))
    socket.once('close', () => signal?.removeEventListener('abort', giveUp))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      if (!pins.includes(pinOf(socket)))
        return void socket.destroy(
          new PinMismatch('pin_mismatch: the control plane shows another key than the pinned one'),
        )
      socket.setTimeout(0)
      signal?.removeEventListener('abort', giveUp)
      resolve(socket)
    })
  })
}

function pinOf(socket: TLSSocket): string {
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
  return key ? `sha256//${createHash('sha256').update(key).digest('base64')}` : ''
}
