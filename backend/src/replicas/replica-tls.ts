import { hkdfSync } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { hostOf } from '../http/host-of.ts'

/** The one suite of TLS 1.3 that a key of 32 bytes without a hash of its own goes with (RFC 8446 §4.2.11). */
const SUITE = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const
const IDENTITY = 'agentopia-replica'
const DIAL_MS = 4_000
const KEEP_ALIVE_MS = 15_000
/** Far more than there are replicas. */
const MOST_CONNECTIONS = 256

/**
 * Replicas know each other by the root key that they share: a key derived from it is what their TLS begins with, at both ends.
 * Who does not hold it gets no further than the handshake, and reads nothing.
 */
const keyOf = (rootKey: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', rootKey, '', 'agentopia lines between replicas', 32))

/** @param address `host:port` */
export function placeOf(address: string): { readonly host: string; readonly port: number } {
  const url = new URL(`tcp://${address}`)
  return { host: hostOf(url), port: Number(url.port) }
}

/** Resolves when the other end has shown that it holds the key. */
export async function dialReplica(address: string, rootKey: Uint8Array, signal: AbortSignal): Promise<Socket> {
  const socket = connect({
    ...SUITE,
    ...placeOf(address),
    ALPNProtocols: ['h2'],
    pskCallback: () => ({ psk: keyOf(rootKey), identity: IDENTITY }),
    checkServerIdentity: () => undefined, // whoever holds the key is the one
  })
  const given = AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)])
  try {
    await once(socket, 'secureConnect', { signal: given })
  } catch (error) {
    socket.on('error', () => {}) // what it still says is of no interest
    socket.destroy()
    throw error
  }
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}

/** @param onSocket Given who has shown that it holds the key, and nobody else. */
export function createReplicaServer(rootKey: Uint8Array, onSocket: (socket: TLSSocket) => void): Server {
  const key = keyOf(rootKey)
  const server = createServer(
    {
      ...SUITE,
      ALPNProtocols: ['h2'],
      handshakeTimeout: DIAL_MS,
      pskIdentityHint: IDENTITY,
      pskCallback: (_, identity) => (identity === IDENTITY ? key : null),
    },
    onSocket,
  )
  server.maxConnections = MOST_CONNECTIONS
  return server
}
