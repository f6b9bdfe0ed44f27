import { request as nodeRequest } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { defineUserOperation, problem } from '@agentopia/api'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import type { Caller } from './caller.ts'
import { BODY_LIMIT, createMount } from './mount.ts'
import { problemResponse } from './problem-response.ts'
import { openServer, type Server } from './server.ts'

const echo = defineUserOperation({
  id: 'echo',
  summary: 'Says it again',
  method: 'POST',
  path: '/echo',
  auth: 'none',
  status: 200,
  body: z.object({ text: z.string() }),
  reply: z.object({ bytes: z.int() }),
  problems: ['idempotency-key-reused'],
})
const tick = defineUserOperation({
  id: 'tick',
  summary: 'Ticks until the client goes',
  method: 'GET',
  path: '/tick',
  auth: 'none',
  status: 200,
  event: z.object({ n: z.int() }),
  problems: [],
})

let server: Server
let gone: string[]
let logged: string[]
let caller: Caller | undefined
let isRevoked = false
const asked: (() => Promise<boolean>)[] = []
beforeEach(async () => {
  gone = []
  logged = []
  caller = undefined
  const app = new Hono()
  app.onError(problemResponse(pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })))
  const mount = createMount({
    app,
    authenticate: async () => (isRevoked ? Promise.reject(problem('unauthenticated', 'revoked')) : caller),
    clientAddress: () => '192.0.2.1',
    requirePresence: async () => {},
  })
  mount.reply(echo, async ({ body }, { isLetIn }) => {
    asked.push(isLetIn)
    return { bytes: body.text.length }
  })
  mount.stream(tick, async (_, { signal }) => ticks(signal))
  server = await openServer({ host: '127.0.0.1', port: 0 })
  server.serve({ request: getRequestListener(app.fetch), upgrade: (_, socket) => void socket.destroy() })
})
afterEach(() => server.close(0))

async function* ticks(signal: AbortSignal) {
  signal.addEventListener('abort', () => gone.push('client'))
  for (let n = 0; !signal.aborted; n += 1) {
    yield { data: { n } }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const at = (path: string) => `http://127.0.0.1:${server.port}${path}`
const post = (body: NonNullable<RequestInit['body']>) =>
  fetch(at('/echo'), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
    duplex: 'half',
  } as RequestInit)

test('T12 a body of the largest size is read, one byte more is refused by its length alone', async () => {
  const body = (length: number) => JSON.stringify({ text: 'x'.repeat(length - '{"text":""}'.length) })
  expect(await (await post(body(BODY_LIMIT))).json()).toEqual({ bytes: BODY_LIMIT - 11 })
  const refused = await post(body(BODY_LIMIT + 1))
  expect(refused.status).toBe(413)
  expect((await post(body(100))).status).toBe(200)
})

test('T12 a body without a length is counted as it comes, and refused long before it ends', async () => {
  let sent = 0
  const endless = new ReadableStream({
    pull(controller) {
      sent += 65_536
      if (sent > 64 * 1_048_576) controller.close()
      else controller.enqueue(new Uint8Array(65_536).fill(120))
    },
  })
  const outcome = await post(endless).then(
    ({ status }) => status,
    () => 413, // the connection was closed while we were still sending
  )
  expect(outcome).toBe(413)
  expect(sent).toBeLessThan(32 * 1_048_576)
})

test('a client that goes away ends what was done for it', async () => {
  const client = new AbortController()
  const answer = await fetch(at('/tick'), { signal: client.signal })
  const reader = answer.body!.getReader()
  await reader.read()
  client.abort()
  await reader.read().catch(() => {})
  await expect.poll(() => gone).toContain('client')
})

test('one caller has sixty streams open and no more; who closes one may open another', async () => {
  caller = { kind: 'agent', accountId: 'a', agentId: 'g', actor: 'agent g' }
  const clients = Array.from({ length: 60 }, () => new AbortController())
  const answers = await Promise.all(clients.map(({ signal }) => fetch(at('/tick'), { signal })))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const refused = await fetch(at('/tick'))
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
  clients[0]!.abort()
  const again = new AbortController()
  await expect.poll(async () => (await fetch(at('/tick'), { signal: again.signal })).status).toBe(200)
  for (const client of [...clients, again]) client.abort()
})

test('whoever goes away in the middle of what he sends has not made us fail', async () => {
  const { port } = server
  const came = new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      const head = 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n'
      socket.write(`${head}{"text":"`, () => setTimeout(() => socket.destroy(), 50))
    })
    socket.once('close', () => resolve())
  })
  await came
  expect((await post('{"text":"y"}')).status).toBe(200)
  await server.close(0)
  expect(logged).toEqual([])
})

test('requests that come before everything is ready are told to come again', async () => {
  const early = await openServer({ host: '127.0.0.1', port: 0 })
  const answer = await fetch(`http://127.0.0.1:${early.port}/api/info`)
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  await early.close(0)
})

test('a taken port is an error with its number', async () => {
  await expect(openServer({ host: '127.0.0.1', port: server.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    port: server.port,
  })
})

test('R05 a server that closes ends with the last answer, also when callers would ask on by the connections that they keep', async () => {
  const ask = () =>
    fetch(`http://127.0.0.1:${server.port}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"x"}',
    }).then(async (answer) => [answer.status, await answer.json()])
  const answers: unknown[] = []
  const callers = Promise.allSettled(
    Array.from({ length: 8 }, async () => {
      for (;;) answers.push(await ask())
    }),
  )
  while (answers.length < 100) await new Promise((resolve) => setImmediate(resolve))
  await server.close(3_600_000)
  expect((await callers).map(({ status }) => status)).toEqual(Array(8).fill('rejected'))
  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['[200,{"bytes":1}]']))
})

test('closing waits for a request in flight, and cuts it at the deadline', async () => {
  const answer = await fetch(at('/tick'))
  const started = performance.now()
  await server.close(200)
  expect(performance.now() - started).toBeGreaterThan(150)
  expect(performance.now() - started).toBeLessThan(2_000)
  await answer.body?.cancel().catch(() => {})
})

test('what is no HTTP does not hurt', async () => {
  await new Promise<void>((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.end('\0\0\0 nonsense\r\n\r\n'))
    socket.resume().once('close', () => resolve())
  })
  const status = await new Promise((resolve) =>
    nodeRequest(at('/%E0%A4%A'), (response) => resolve(response.resume().statusCode)).end(),
  )
  expect(status).toBe(404)
})

test('an Idempotency-Key that is empty or too long is refused, not cut: cut it may be equal to another', async () => {
  const withKey = (key: string) =>
    fetch(at('/echo'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ text: 'x' }),
    })
  expect((await withKey('k'.repeat(255))).status).toBe(200)
  for (const key of ['', 'k'.repeat(256)]) {
    const answer = await withKey(key)
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'invalid-request' }])
  }
})

test('while it works, a handler may ask whether its caller is still let in', async () => {
  await post(JSON.stringify({ text: 'x' }))
  const isLetIn = asked.at(-1)!
  expect(await isLetIn()).toBe(true)
  isRevoked = true
  expect(await isLetIn()).toBe(false)
  isRevoked = false
})

test('T12 ten megabytes, and a bomb of gzip, are refused without being held or unpacked', async () => {
  const before = process.memoryUsage().rss
  const many = new ReadableStream({
    pull: (controller) => void controller.enqueue(new Uint8Array(65_536).fill(32)),
  })
  const endless = await post(many).catch((error: Error) => error)
  if (endless instanceof Response) expect(endless.status).toBe(413)
  const bomb = gzipSync(Buffer.alloc(64 << 20, 32)) // 64 MB in 64 kB
  const answer = await fetch(at('/echo'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: bomb,
  })
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'invalid-request'])
  expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20)
})

test('T12 who sends a head without an end is cut, and others are answered meanwhile', async () => {
  const hasty = await openServer({ host: '127.0.0.1', port: 0 }, { headersTimeoutMs: 300, checkEveryMs: 50 })
  hasty.serve({ request: (_, response) => void response.end('ok'), upgrade: (_, socket) => void socket.destroy() })
  const slow = connect(hasty.port, '127.0.0.1')
  const dripping = setInterval(() => slow.write('x-more: and more\r\n'), 20)
  try {
    slow.on('error', () => {}) // it is cut while it still writes
    slow.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
    let heard = ''
    slow.on('data', (chunk) => {
      heard += chunk
    })
    const cut = new Promise((resolve) => slow.once('close', resolve))
    expect((await fetch(`http://127.0.0.1:${hasty.port}/`)).status).toBe(200)
    await cut
    expect(heard).toMatch(/^(?:HTTP\/1\.1 408 |$)/)
  } finally {
    clearInterval(dripping)
    slow.destroy()
    await hasty.close(0)
  }
})

test('keeps an idle connection longer than load balancers keep theirs', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.port}/nothing`)
  expect(Number(/timeout=(\d+)/.exec(answer.headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThan(60)
})
