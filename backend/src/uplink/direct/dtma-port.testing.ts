import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { selfSigned, serve, type TlsIdentity } from '@agentopia/dtma/testing'
import type { Hono } from 'hono'
import { honoListener } from '../hono-listener.testing.ts'

/** What a toolbox enrolled with, and what its DTMA shows. */
export interface TestKey {
  /** Ed25519, SPKI DER, base64. */
  readonly publicKey: string
  readonly tls: TlsIdentity
  readonly privateKey: KeyObject
}

export function newTestKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    tls: selfSigned(privateKey),
    privateKey,
  }
}

/** DTMA's own port, with whatever app behind it. @param port 0 picks one. */
export async function openDtmaPort(app: Hono, { tls }: TestKey, port = 0) {
  const listener = honoListener(app)
  const chosen = port === 0 ? await freePort() : port
  const opened = await serve({ listener, plainListener: listener }, { host: '127.0.0.1', port: chosen })
  opened.useKey(tls)
  return { port: chosen, close: () => opened.close() }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
