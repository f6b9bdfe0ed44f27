import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { request as http1 } from 'node:http'
import { type ClientHttp2Session, connect as http2 } from 'node:http2'
import { request as https1 } from 'node:https'
import { connect, createServer } from 'node:net'
import { connect as tls } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { getHealth } from '../contract/operations.ts'
import { createLog } from '../log.ts'
import { healthOnly } from './health-only.ts'
import { type App, listenerOf } from './listener.ts'
import { selfSigned } from './self-signed.ts'
import { type Port, serve } from './serve.ts'

const log = createLog({ level: 'error', write: () => {}, date: () => new Date(0) })
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const app: App = async ({ url, headers, body }) => {
  if (url === getHealth.path) return { status: 200, headers: {}, body: 'well' }
  let length = 0
  for await (const chunk of body) length += chunk.length
  return { status: 200, headers: {}, body: `${headers.authorization} ${length}` }
}

let port: number
let open: Port
beforeEach(async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  port = (taken.address() as { port: number }).port
  taken.close()
  await once(taken, 'close')
})
afterEach(() => open.close())

async function opened(plain: boolean): Promise<void> {
  const listener = listenerOf(app, log)
  const plainListener = plain ? listener : listenerOf(healthOnly(app, log), log)
  open = await serve({ listener, plainListener }, { host: '127.0.0.1', port })
  open.useKey(selfSigned(privateKey))
}

const body = 'x'.repeat(100_000)
const headers = { authorization: 'Bearer key' }

async function byHttp1(send: typeof http1 | typeof https1, path: string): Promise<string> {
  const post = { method: path === '/echo' ? 'POST' : 'GET', headers, rejectUnauthorized: false, agent: false } as const
  const asked = send({ host: '127.0.0.1', port, path, ...post }).end(post.method === 'POST' ? body : undefined)
  const [answer] = await once(asked, 'response')
  let text = ''
  for await (const chunk of answer) text += chunk
  return `${answer.statusCode} ${text}`
}

async function byHttp2(scheme: 'http' | 'https', path: string): Promise<string> {
  const session: ClientHttp2Session = http2(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
  const method = path === '/echo' ? 'POST' : 'GET'
  const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: method === 'GET' })
  if (method === 'POST') stream.end(body)
  const [answer] = await once(stream, 'response')
  let text = ''
  for await (const chunk of stream) text += chunk
  session.close()
  return `${answer[':status']} ${text}`
}

test('one port answers https and http, in either version, with the same routes', async () => {
  await opened(true)
  for (const path of ['/echo', '/health']) {
    const expected = path === '/echo' ? '200 Bearer key 100000' : '200 well'
    expect(await byHttp1(https1, path)).toBe(expected)
    expect(await byHttp1(http1, path)).toBe(expected)
    expect(await byHttp2('https', path)).toBe(expected)
    expect(await byHttp2('http', path)).toBe(expected)
  }
})

test('where plain HTTP is not configured it answers /health, and refuses the rest with a problem', async () => {
  await opened(false)
  expect(await byHttp1(http1, '/health')).toBe('200 well')
  for (const answer of [await byHttp1(http1, '/echo'), await byHttp2('http', '/echo')]) {
    expect(answer).toMatch(/^403 /)
    expect(JSON.parse(answer.slice(4))).toMatchObject({ code: 'tls-required' })
  }
  expect(await byHttp1(https1, '/echo')).toBe('200 Bearer key 100000')
})

test('the key that is shown is the key of the identity', async () => {
  await opened(false)
  const socket = tls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const shown = socket.getPeerX509Certificate()!.publicKey.export({ format: 'der', type: 'spki' })
  expect(shown).toEqual(publicKey.export({ format: 'der', type: 'spki' }))
  expect(socket.getProtocol()).toBe('TLSv1.3')
  socket.destroy()
})

test('before the key is known, TLS is closed and plain HTTP answered', async () => {
  const listener = listenerOf(app, log)
  open = await serve({ listener, plainListener: listener }, { host: '127.0.0.1', port })
  await expect(byHttp1(https1, '/health')).rejects.toThrow()
  expect(await byHttp1(http1, '/health')).toBe('200 well')
})

test('a connection that says nothing is closed with the port, and harms nobody', async () => {
  await opened(true)
  const silent = connect(port, '127.0.0.1')
  await once(silent, 'connect')
  expect(await byHttp1(http1, '/health')).toBe('200 well')
  const closed = once(silent, 'close')
  await open.close()
  await closed
})

test('strangers who hold connections open keep nobody out, and push out nobody who is in', async () => {
  await opened(true)
  const before = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
  await once(before, 'connect')
  before.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(before, 'data')
  // The beginning of HTTP/2, and then nothing more for ever: no request, and no deadline that would end it.
  const preface = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  ])
  const held = Array.from({ length: 1_100 }, () => {
    const socket = connect(port, '127.0.0.1', () => socket.write(preface))
    return socket.on('error', () => {}).resume()
  })
  try {
    await expect
      .poll(() => held.filter(({ bytesRead }) => bytesRead > 0).length, { timeout: 10_000 })
      .toBeGreaterThan(900)
    expect(await byHttp2('https', '/echo')).toBe('200 Bearer key 100000')
    before.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(String(await once(before, 'data'))).toContain('200 OK')
  } finally {
    before.destroy()
    for (const socket of held) socket.destroy()
  }
})

test('garbage is answered or cut, and harms nobody', async () => {
  await opened(true)
  for (const garbage of [
    Buffer.of(0x16),
    Buffer.of(0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5),
    'PRI x',
    'PR',
    '\r\n\r\n',
    '\0',
  ]) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    socket.end(garbage)
    await once(socket.resume(), 'close')
  }
  expect(await byHttp1(http1, '/health')).toBe('200 well')
})

test('a port that can be had neither there nor where it was says that it does not listen, and can be had again later', async () => {
  await opened(true)
  const elsewhere = createServer().listen(port, '127.0.0.2')
  await once(elsewhere, 'listening')
  const moved = open.listenOn('0.0.0.0')
  const thief = createServer().listen(port, '127.0.0.1') // in the moment in which it is free
  await expect(moved).rejects.toThrow('in use by another program')
  expect(open.listens).toBe(false)
  for (const other of [elsewhere, thief]) await new Promise((closed) => other.close(closed))
  await open.listenOn('127.0.0.1')
  expect([open.listens, await byHttp1(http1, '/health')]).toEqual([true, '200 well'])
})

test('a certificate is its own authority, and never ends', () => {
  const cert = new X509Certificate(selfSigned(privateKey).cert)
  expect(cert.verify(publicKey)).toBe(true)
  expect(new Date(cert.validTo).getUTCFullYear()).toBe(9999)
})
