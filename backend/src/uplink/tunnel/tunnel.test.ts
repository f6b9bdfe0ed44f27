import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { problem } from '@agentopia/api'
import {
  type Answer,
  createClient,
  type Fetch,
  heartbeat,
  TUNNEL_BEATS_PROTOCOL,
  TUNNEL_PATH,
  TUNNEL_PROTOCOL,
} from '@agentopia/dtma/contract'
import {
  createTunnelBeats as createDtmaTunnelBeats,
  type HttpReply,
  type HttpRequest,
  listenerOf,
  runTunnel,
  type TunnelEnd,
} from '@agentopia/dtma/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { readAll } from '../../gateway/read-all.ts'
import { RateLimited } from '../../http/rate-limited.ts'
import { systemClock } from '../../reconcile/clock.ts'
import type { TakeHeartbeat } from '../heartbeat.routes.ts'
import { createTurns, type Turns } from '../turns.ts'
import { createTunnelBeats } from './tunnel-beats.ts'
import { createTunnelDoor } from './tunnel-door.ts'
import { createTunnels, type Tunnels } from './tunnels.ts'

const log = pino({ level: 'silent' })
const silent = { debug() {}, info() {}, warn() {}, error() {}, lines: () => [], redact() {} }

let server: Server
let tunnels: Tunnels
let origin: string
let line: Socket
let isFull = false
const { take, requireRoom } = createTurns()
const turns: Turns = {
  requireRoom,
  take: (kind, act) => (isFull ? Promise.reject(new RateLimited('full', 1)) : take(kind, act)),
}
let breakOff = (): unknown => undefined
const aborted: string[] = []

const reply = (body: string | Readable): HttpReply => ({ status: 200, headers: {}, body })

/** What DTMA serves: an app that knows nothing of tunnels. */
const ANSWERS: Readonly<Record<string, (request: HttpRequest) => Promise<HttpReply> | HttpReply>> = {
  '/hello': ({ headers }) => reply(JSON.stringify({ hello: headers['x-name'] ?? 'nobody' })),
  '/echo': async ({ body }) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return reply(Readable.from([Buffer.concat(chunks)]))
  },
  '/large': () => reply(Readable.from([Buffer.alloc(3 << 20, 7)])),
  '/half': () => {
    const half = new PassThrough()
    half.write('the first half')
    const before = breakOff
    breakOff = () => [before(), half.destroy(new Error('something broke'))]
    return reply(half)
  },
  '/never': ({ signal }) => {
    aborted.push('asked')
    signal.addEventListener('abort', () => aborted.push('never'))
    return new Promise(() => {})
  },
  '/events': () => {
    const stream = new PassThrough()
    const writing = setInterval(() => stream.write('data: 0\n\n'), 10)
    stream.once('close', () => {
      clearInterval(writing)
      aborted.push('events')
    })
    return reply(stream)
  },
}
const listener = listenerOf(async (request) => ANSWERS[request.url]!(request), silent)

/** What came by text messages, and what they are answered with. */
const beats: { readonly bearer: string | undefined; readonly runId: string }[] = []
let takeBeat: TakeHeartbeat = async () => ({ nextInSeconds: 10, wantReport: false })
const beatsOf = createTunnelBeats((input, bearer) => {
  beats.push({ bearer, runId: input.body.runId })
  return takeBeat(input, bearer)
}, log)

beforeEach(async () => {
  beats.length = 0
  takeBeat = async () => ({ nextInSeconds: 10, wantReport: false })
  aborted.length = 0
  isFull = false
  tunnels = createTunnels({ log, clock: systemClock, beatsOf, onChange: () => {} })
  const authenticate = async (token: string) =>
    token.startsWith('token-of-') ? { toolboxId: token.slice(9) } : undefined
  server = createServer().on('upgrade', createTunnelDoor({ authenticate, tunnels, turns, log }))
  server.on('connection', (socket) => {
    line = socket
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  for (const stop of dialling.splice(0)) stop.abort()
  tunnels.closeAll()
  server.close()
})

/** Who is not stopped dials on: the port of his server may be that of the next test. */
const dialling: AbortController[] = []

function dial(
  toolboxId: string,
  carried?: ReturnType<typeof createDtmaTunnelBeats>,
): { stop: AbortController; end: Promise<TunnelEnd> } {
  const stop = new AbortController()
  dialling.push(stop)
  const end = runTunnel(
    {
      baseUrl: origin,
      token: () => `token-of-${toolboxId}`,
      runId: 'run',
      listener,
      beats: carried,
      log: silent,
      clock: { ...systemClock, random: () => 0 },
    },
    stop.signal,
  )
  return { stop, end }
}

async function opened(toolboxId = 'toolbox_alpha') {
  const dialled = dial(toolboxId)
  await vi.waitFor(() => expect(tunnels.isOpen(toolboxId)).toBe(true))
  return { ...dialled, fetch: tunnels.fetchOf(toolboxId)! }
}

test('carries requests and answers like any fetch', async () => {
  const { fetch } = await opened()
  const answer = await fetch('http://dtma/hello', { headers: { 'x-name': 'alpha' } })
  expect([answer.status, await answer.json()]).toEqual([200, { hello: 'alpha' }])
})

test('carries large bodies both ways, whole', async () => {
  const { fetch } = await opened()
  const large = new Uint8Array(await (await fetch('http://dtma/large')).arrayBuffer())
  expect(large.length).toBe(3 << 20)
  const text = 'ä'.repeat(1 << 20)
  expect(await (await fetch('http://dtma/echo', { method: 'POST', body: text })).text()).toBe(text)
})

test('a request that is taken back before its answer begins is heard', async () => {
  const { fetch } = await opened()
  const giveUp = new AbortController()
  const asked = fetch('http://dtma/never', { signal: giveUp.signal })
  await vi.waitFor(() => expect(aborted).toEqual(['asked']), 5_000)
  giveUp.abort(new Error('enough'))
  await expect(asked).rejects.toThrow()
  await vi.waitFor(() => expect(aborted).toEqual(['asked', 'never']), 5_000)
})

test('many requests at once do not wait for each other', async () => {
  const { fetch } = await opened()
  void fetch('http://dtma/never').catch(() => {})
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      fetch('http://dtma/hello', { headers: { 'x-name': String(n) } }).then((answer) => answer.json()),
    ),
  )
  expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => ({ hello: String(n) })))
})

test('a request is under way until its answer is whole, or nobody waits for it any more', async () => {
  const { fetch } = await opened()
  const inFlight = () => tunnels.inFlight('toolbox_alpha')
  const gone = new AbortController()
  void fetch('http://dtma/never', { signal: gone.signal }).catch(() => {})
  const events = await fetch('http://dtma/events')
  const hello = await fetch('http://dtma/hello')
  await hello.text()
  await vi.waitFor(() => expect(inFlight()).toBe(2))
  gone.abort()
  await vi.waitFor(() => expect(inFlight()).toBe(1))
  await events.body!.cancel()
  await vi.waitFor(() => expect(inFlight()).toBe(0))
  expect(tunnels.inFlight('toolbox_of_nobody')).toBe(0)
})

test('a stream arrives as it is written, and an abort reaches the far side', async () => {
  const { fetch } = await opened()
  const gone = new AbortController()
  const answer = await fetch('http://dtma/events', { signal: gone.signal })
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader.read()).value).toContain('data: 0')
  gone.abort()
  await vi.waitFor(() => expect(aborted).toContain('events'), 5_000)
})

test('requests in flight fail at once when the connection ends', async () => {
  const { fetch, stop } = await opened()
  const waiting = fetch('http://dtma/never')
  await sleep(20)
  stop.abort()
  await expect(waiting).rejects.toThrow()
})

test.each<[string, (dialled: { stop: AbortController }) => void]>([
  ['DTMA says goodbye', ({ stop }) => stop.abort()],
  ['we close it', () => tunnels.closeAll()],
  ['it is revoked', () => tunnels.revoke('toolbox_alpha')],
  ['the line is cut', () => line.destroy()],
  ['DTMA breaks off the answer', () => breakOff()],
])('an answer is never taken for complete when %s in the middle of it', async (_, end) => {
  const dialled = await opened()
  const read = await tunnels.request('toolbox_alpha', { method: 'GET', path: '/half', headers: {} })
  const unread = await tunnels.request('toolbox_alpha', { method: 'GET', path: '/half', headers: {} })
  const viaFetch = await dialled.fetch('http://dtma/half')
  const reading = readAll(read!.body, 1 << 20, () => new Error('too much'))
  const text = viaFetch.text()
  await sleep(20)
  end(dialled)
  await expect(reading).rejects.toThrow()
  await expect(text).rejects.toThrow()
  await vi.waitFor(() => expect(unread?.body.errored).toBeInstanceOf(Error))
  dialled.stop.abort()
})

test('a goodbye is told apart from a broken connection', async () => {
  const { stop, end } = await opened()
  stop.abort()
  expect(await end).toBe('stopped')
  await vi.waitFor(() =>
    expect(tunnels.factsOf('toolbox_alpha')).toMatchObject({
      open: false,
      lastClose: { code: 4000, cause: 'goodbye' },
    }),
  )
})

test('N06 comes back by itself after the connection broke', async () => {
  const { stop } = await opened()
  server.closeAllConnections()
  tunnels.closeAll()
  await vi.waitFor(() => expect(tunnels.isOpen('toolbox_alpha')).toBe(false))
  await vi.waitFor(() => expect(tunnels.isOpen('toolbox_alpha')).toBe(true), 5_000)
  stop.abort()
})

test('where too many are at the door it is told to come again, and does', async () => {
  isFull = true
  const turnedAway = new Promise<void>((resolve) =>
    server.once('upgrade', (_, socket) => socket.once('close', resolve)),
  )
  const { stop } = dial('toolbox_alpha')
  await turnedAway
  expect(tunnels.isOpen('toolbox_alpha')).toBe(false)
  isFull = false
  await vi.waitFor(() => expect(tunnels.isOpen('toolbox_alpha')).toBe(true), 5_000)
  stop.abort()
})

test('a newer connection of the same toolbox replaces the older, which does not fight back', async () => {
  const first = await opened()
  const second = dial('toolbox_alpha')
  expect(await first.end).toBe('superseded')
  expect(tunnels.isOpen('toolbox_alpha')).toBe(true)
  second.stop.abort()
})

test('E10 a revoked toolbox is cut off and told so', async () => {
  const { end } = await opened()
  tunnels.revoke('toolbox_alpha')
  expect(await end).toBe('unauthenticated')
})

test('nobody without a credential comes in', async () => {
  const stop = new AbortController()
  const end = runTunnel(
    {
      baseUrl: origin,
      token: () => 'wrong-token-wrong-token',
      runId: 'r',
      listener: () => {},
      log: silent,
      clock: { ...systemClock, random: () => 0 },
    },
    stop.signal,
  )
  expect(await end).toBe('unauthenticated')
})

test.each(['wrong-token-wrong-token', 'token-of-toolbox_alpha'])(
  'whoever breaks off while at the door (%s) harms nobody',
  async (token) => {
    const upgrade = `GET /dtma/tunnel HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer ${token}\r\n\r\n`
    for (let delay = 0; delay < 10; delay += 1) {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(upgrade.repeat(2)))
      socket.on('error', () => {})
      await sleep(delay)
      socket.resetAndDestroy()
    }
    await sleep(50)
    const { fetch } = await opened()
    expect((await fetch('http://dtma/hello')).status).toBe(200)
  },
)

/** A tunnel with text messages, as a DTMA dials it. */
async function textual(protocol: string = TUNNEL_BEATS_PROTOCOL) {
  const ws = new WebSocket(origin.replace('http', 'ws') + TUNNEL_PATH, [protocol], {
    headers: { authorization: 'Bearer token-of-toolbox_alpha' },
  })
  const answers: { id: number; status: number; body: { code?: string } }[] = []
  ws.on('message', (data, isBinary) => void (isBinary || answers.push(JSON.parse(String(data)))))
  await once(ws, 'open')
  const say = (message: object) => ws.send(JSON.stringify(message))
  return { ws, answers, say, closed: once(ws, 'close') }
}
const life = { runId: 'run', seq: 1, dtmaVersion: '0.1.0', apiVersion: 1, docker: { state: 'ok' } }

test('heartbeats of a DTMA go by its tunnel, each with the credential that it has then', async () => {
  const refusing: Fetch<Answer> = () => Promise.reject(new Error('none goes by HTTP'))
  const carried = createDtmaTunnelBeats(refusing)
  const { stop } = dial('toolbox_alpha', carried)
  await vi.waitFor(() => expect(tunnels.isOpen('toolbox_alpha')).toBe(true))
  const call = (token: string) =>
    createClient({ baseUrl: origin, token, fetch: carried.fetch }).call(heartbeat, { body: { ...life } as never })
  await vi.waitFor(async () => expect(await call('one')).toEqual({ nextInSeconds: 10, wantReport: false }))
  takeBeat = async () => {
    throw problem('unauthenticated', 'nobody')
  }
  await expect(call('another')).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(beats).toEqual([
    { bearer: 'one', runId: 'run' },
    { bearer: 'another', runId: 'run' },
  ])
  const { body } = await tunnels.fetchOf('toolbox_alpha')!('http://dtma/hello')
  expect(body).not.toBeNull()
  stop.abort()
})

test('L13 whoever does not wait for his answer is refused, and the one before is answered', async () => {
  let done = () => {}
  takeBeat = () => new Promise((resolve) => (done = () => resolve({ nextInSeconds: 10, wantReport: false })))
  const { answers, say, ws } = await textual()
  for (const id of [1, 2]) say({ id, token: 't', body: life })
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  done()
  await vi.waitFor(() => expect(answers).toHaveLength(2))
  expect(answers.map(({ id, status }) => [id, status])).toEqual([
    [2, 429],
    [1, 200],
  ])
  ws.close()
})

test('a heartbeat that has not the right shape is refused as by HTTP', async () => {
  const { answers, say, ws } = await textual()
  say({ id: 7, token: 't', body: { seq: 'one' } })
  await vi.waitFor(() => expect(answers).toMatchObject([{ id: 7, status: 400, body: { code: 'invalid-request' } }]))
  expect(beats).toEqual([])
  ws.close()
})

test.each([
  ['that is no heartbeat', 'hello', TUNNEL_BEATS_PROTOCOL],
  ['that is too long', JSON.stringify({ id: 1, token: 't', body: 'x'.repeat(1 << 20) }), TUNNEL_BEATS_PROTOCOL],
  ['where none was agreed on', JSON.stringify({ id: 1, token: 't', body: life }), TUNNEL_PROTOCOL],
])('a text message %s ends the tunnel', async (_, text, protocol) => {
  const { ws, closed } = await textual(protocol)
  ws.send(text)
  await closed
  await vi.waitFor(() => expect(tunnels.isOpen('toolbox_alpha')).toBe(false))
  expect(beats).toEqual([])
})
