import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { selfSigned, type TlsIdentity } from '../http/self-signed.ts'
import { startTestUplink } from './uplink.testing.ts'

/** A TLS key of the control plane, and its pin. */
function newKey(): TlsIdentity & { readonly pin: string } {
  const tls = selfSigned(generateKeyPairSync('ed25519').privateKey)
  const spki = new X509Certificate(tls.cert).publicKey.export({ type: 'spki', format: 'der' })
  return { ...tls, pin: `sha256//${createHash('sha256').update(spki).digest('base64')}` }
}

const [first, second, third] = [newKey(), newKey(), newKey()]
let directory: string
let server: Server
let port = 0
let beats: number
let heard: string
/** What the control plane says are its keys, present and next. */
let told: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtma-rotation-'))
  beats = 0
  heard = ''
})
afterEach(async () => {
  await down()
  rmSync(directory, { recursive: true })
})

/** The control plane, behind this key. */
async function up({ key, cert }: TlsIdentity, pins: string[]): Promise<void> {
  told = pins
  server = createServer({ key, cert }, async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    heard += request.url
    const answers: Record<string, object> = {
      '/dtma/enrol': { toolboxId: 'toolbox_a', epoch: 1, dtmaBearerToken: 'first', backendToDtmaApiKey: 'k' },
      '/dtma/challenge': { challenge: 'sign this' },
      '/dtma/renew': { dtmaBearerToken: 'renewed', counter: 1, renewInSeconds: 1_200, pins: told },
      '/dtma/heartbeat': { nextInSeconds: 10, wantReport: false },
    }
    if (request.url === '/dtma/heartbeat') beats += 1
    response.writeHead(text === '' ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answers[request.url ?? ''] ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
}

async function down(): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** One life of DTMA, configured with these pins. */
function dtma(pins: readonly string[]) {
  const stop = new AbortController()
  const { uplink, log } = startTestUplink({
    baseUrl: `https://127.0.0.1:${port}`,
    directory,
    signal: stop.signal,
    more: { pins, listener: undefined },
  })
  const end = async () => {
    stop.abort()
    await uplink.stopped
  }
  return { end, log }
}

test('E07 a DTMA that was away while the key of the control plane changed knows the next one since before', async () => {
  await up(first, [first.pin, second.pin])
  const before = dtma([first.pin])
  await vi.waitFor(() => expect(beats).toBeGreaterThan(2))
  await before.end()
  await down()

  await up(second, [second.pin])
  beats = 0
  const after = dtma([first.pin]) // it is configured as it was
  await vi.waitFor(() => expect(beats).toBeGreaterThan(0))
  await after.end()
})

test('E07 one that was away for longer than both keys refuses the third, says so, and comes back when it is configured', async () => {
  await up(first, [first.pin, second.pin])
  const before = dtma([first.pin])
  await vi.waitFor(() => expect(beats).toBeGreaterThan(2))
  await before.end()
  await down()

  await up(third, [third.pin])
  beats = 0
  heard = ''
  const lost = dtma([first.pin])
  await vi.waitFor(() => expect(lost.log.said.join()).toContain('pin_mismatch'))
  await lost.end()
  expect([beats, heard]).toEqual([0, '']) // not one request came as far as that

  const recovered = dtma([third.pin]) // what the line that updates puts into its environment
  await vi.waitFor(() => expect(beats).toBeGreaterThan(0))
  await recovered.end()
})
