import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { readAll } from '../../gateway/read-all.ts'
import { systemClock } from '../../reconcile/clock.ts'
import type { DtmaRequest } from '../dtma-session.ts'
import type { DialFault, DialTarget } from './dial.ts'
import { createDirectRoads } from './direct-roads.ts'
import { freePort, newTestKey, openDtmaPort, type TestKey } from './dtma-port.testing.ts'

const SECRET = 'the-key-of-toolbox-a'
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const app = new Hono()
  .get('/status', (c) => c.text(c.req.header('authorization') ?? 'no key'))
  .post('/echo', async (c) => c.body(await c.req.arrayBuffer()))
  .get('/events', (c) =>
    streamSSE(c, async (stream) => {
      for (let n = 0; n < 3; n += 1) await stream.writeSSE({ data: String(n) })
    }),
  )

const request = (path = '/status', over: Partial<DtmaRequest> = {}): DtmaRequest => ({
  method: 'GET',
  path,
  headers: { authorization: `Bearer ${SECRET}` },
  ...over,
})

function opened(mayDial: (address: string) => boolean = () => true) {
  const changes: string[] = []
  const onChange = (id: string) => void changes.push(id)
  const roads = createDirectRoads({ mayDial, log: pino({ level: 'silent' }), clock: systemClock, onChange })
  cleanups.push(() => roads.closeAll())
  return { roads, changes }
}

async function dtma(key: TestKey, port = 0) {
  const opened = await openDtmaPort(app, key, port)
  cleanups.push(() => opened.close())
  return opened
}

const targetOf = ({ publicKey }: TestKey, port: number): DialTarget => ({ host: '127.0.0.1', port, publicKey })
const textOf = async (body: NodeJS.ReadableStream) =>
  (await readAll(body as never, 64 << 20, () => new Error('too long'))).toString()

test('calls, large bodies and streams go by one connection, which is kept', async () => {
  const key = newTestKey()
  const { port } = await dtma(key)
  const { roads, changes } = opened()
  const target = targetOf(key, port)
  const answers = await Promise.all(Array.from({ length: 20 }, () => roads.request('a', target, request())))
  for (const { status, body } of answers) expect([status, await textOf(body)]).toEqual([200, `Bearer ${SECRET}`])
  const large = Buffer.alloc(8 << 20, 'x')
  const echo = await roads.request('a', target, request('/echo', { method: 'POST', body: large }))
  expect((await textOf(echo.body)).length).toBe(large.length)
  expect(await textOf((await roads.request('a', target, request('/events'))).body)).toContain('data: 2')
  expect(changes).toEqual(['a']) // opened once
  expect(roads.openSince('a')).toBeInstanceOf(Date)
})

test('plain HTTP, when that is configured, carries the same', async () => {
  const { port } = await dtma(newTestKey())
  const { body } = await opened().roads.request('a', { host: '127.0.0.1', port }, request())
  expect(await textOf(body)).toBe(`Bearer ${SECRET}`)
})

test('after a restart of DTMA the next call dials anew', async () => {
  const key = newTestKey()
  const first = await openDtmaPort(app, key)
  const { roads, changes } = opened()
  const target = targetOf(key, first.port)
  await textOf((await roads.request('a', target, request())).body)
  await first.close()
  await expect.poll(() => roads.openSince('a')).toBeUndefined()
  await expect(roads.request('a', target, request())).rejects.toMatchObject({ fault: 'refused' })
  await dtma(key, first.port)
  expect((await roads.request('a', target, request())).status).toBe(200)
  expect(changes).toEqual(['a', 'a', 'a'])
})

test('N03 an impostor at the address, whatever he shows, hears not one byte', async () => {
  const ours = newTestKey()
  const heard: Buffer[] = []
  const { key, cert } = newTestKey().tls
  const impostor = createTlsServer({ key, cert, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => heard.push(bytes))
  })
  const port = await listening(impostor)
  await expect(opened().roads.request('a', targetOf(ours, port), request())).rejects.toMatchObject({
    fault: 'pin_mismatch',
    message: expect.not.stringContaining(SECRET),
  })
  expect(heard).toEqual([])
})

test('P12 the address of a toolbox that another one has by now gets neither its key nor its calls', async () => {
  const [a, b] = [newTestKey(), newTestKey()]
  const seen: string[] = []
  const other = new Hono().all('*', (c) => {
    seen.push(c.req.path)
    return c.text('b')
  })
  const first = await openDtmaPort(app, a)
  const { roads } = opened()
  await textOf((await roads.request('a', targetOf(a, first.port), request())).body)
  await first.close()
  const second = await openDtmaPort(other, b, first.port) // the same address, the machine of somebody else
  cleanups.push(() => second.close())
  await expect.poll(() => roads.openSince('a')).toBeUndefined()
  for (let attempt = 0; attempt < 3; attempt += 1)
    await expect(roads.request('a', targetOf(a, first.port), request())).rejects.toMatchObject({
      fault: 'pin_mismatch',
    })
  expect(seen).toEqual([])
  expect((await roads.request('b', targetOf(b, first.port), request())).status).toBe(200)
})

test('a toolbox that enrolled anew is dialled anew: what was open to the old key is closed', async () => {
  const [old, fresh] = [newTestKey(), newTestKey()]
  const { port } = await dtma(old)
  const { roads } = opened()
  await textOf((await roads.request('a', targetOf(old, port), request())).body)
  await expect(roads.request('a', targetOf(fresh, port), request())).rejects.toMatchObject({ fault: 'pin_mismatch' })
  expect(roads.openSince('a')).toBeUndefined()
})

const CASES: readonly (readonly [string, () => Promise<DialTarget>, DialFault])[] = [
  ['where nothing listens', async () => targetOf(newTestKey(), await freePort()), 'refused'],
  [
    'where plain HTTP is spoken',
    async () => targetOf(newTestKey(), await listening(createServer((s) => s.end('HTTP/1.1 400 Bad\r\n\r\n')))),
    'no_tls',
  ],
  ['that nobody knows', async () => ({ ...targetOf(newTestKey(), 1), host: 'nowhere.invalid' }), 'unresolved'],
]
test.each(CASES)('a dial %s says so', async (_, target, fault) => {
  await expect(opened().roads.request('a', await target(), request())).rejects.toMatchObject({ fault })
})

test('a listener that accepts and never speaks is left after four seconds, and by its caller when he likes', async () => {
  const silent = targetOf(newTestKey(), await listening(createServer(() => {})))
  const { roads } = opened()
  const signal = AbortSignal.timeout(50)
  await expect(roads.request('a', silent, request('/status', { signal }))).rejects.toThrow('timeout')
  await expect(roads.request('a', silent, request())).rejects.toMatchObject({ fault: 'no_tls' })
})

test('what may not be dialled is not dialled: neither an address nor a name that leads there', async () => {
  let connections = 0
  const port = await listening(
    createServer(() => {
      connections += 1
    }),
  )
  const { roads } = opened((address) => !['127.0.0.1', '::1'].includes(address))
  for (const host of ['127.0.0.1', 'localhost'])
    await expect(roads.request(host, { ...targetOf(newTestKey(), port), host }, request())).rejects.toMatchObject({
      fault: 'forbidden',
    })
  expect(connections).toBe(0)
})

async function listening(server: Server): Promise<number> {
  const sockets = new Set<import('node:net').Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}
