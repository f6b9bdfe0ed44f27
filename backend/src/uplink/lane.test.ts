import { createServer, type Http2Server } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { createFrameReader, FRAME, frameOf, LANE_PATH } from '@agentopia/dtma/contract'
import { type App, type HttpReply, type HttpRequest, listenerOf, serveLane } from '@agentopia/dtma/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readAll } from '../gateway/read-all.ts'
import { type ManualClock, manualClock } from '../reconcile/manual-clock.testing.ts'
import { type DtmaAnswer, type DtmaSession, openSession } from './dtma-session.ts'

/** Requests that came, each with the stream it came on: `own` or `lane`. */
const came: string[] = []
const left: string[] = []
/** What a lane is refused with, if it is. */
let refusal: number | undefined
let clock: ManualClock
let lanes = 0
let half: PassThrough
let server: Http2Server
let socket: Socket
let session: DtmaSession
/** What a toolbox sends for each request of a lane that does not keep to the rules. */
let wrong: ((id: number) => Buffer[]) | undefined

const text = (body: string | Readable, status = 200): HttpReply => ({ status, headers: { 'x-is': 'here' }, body })

const appOn =
  (stream: 'own' | 'lane'): App =>
  async (request) => {
    if (request.url === LANE_PATH) {
      lanes += 1
      if (refusal !== undefined) return text('{}', refusal)
      if (wrong) return text(answersTo(request.body, wrong))
      return serveLane(appOn('lane'), request)
    }
    came.push(stream)
    if (request.url === '/echo') {
      const chunks: Uint8Array[] = []
      for await (const chunk of request.body) chunks.push(chunk)
      return text(`${request.headers['authorization']} ${Buffer.concat(chunks).toString()}`, 201)
    }
    if (request.url === '/large') return text('ä'.repeat(2 << 20))
    if (request.url === '/half') return text(half)
    request.signal.addEventListener('abort', () => left.push(request.url))
    return new Promise(() => {})
  }

function answersTo(asked: HttpRequest['body'], frames: (id: number) => Buffer[]): Readable {
  const out = new PassThrough()
  const reader = createFrameReader((id, kind) => kind === FRAME.ask && out.write(Buffer.concat(frames(id))))
  void (async () => {
    for await (const chunk of asked) reader(chunk)
  })().catch(() => {}) // the connection has ended
  return out
}

beforeEach(async () => {
  wrong = undefined
  came.length = 0
  left.length = 0
  lanes = 0
  refusal = undefined
  clock = manualClock()
  half = new PassThrough()
  server = createServer(listenerOf(appOn('own'), { debug() {} }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  session = openSession('road', socket, clock)
})
afterEach(() => {
  socket.destroy()
  server.close()
})

const ask = (path: string, body: string, signal?: AbortSignal): Promise<DtmaAnswer> => {
  const headers = { authorization: 'Bearer key' }
  return session.request({ method: 'POST', path, headers, body, mayShare: true, ...(signal ? { signal } : {}) })
}
const bodyOf = async ({ body }: DtmaAnswer) => (await readAll(body, 1 << 30, () => new Error('too long'))).toString()

/** The first request opens the lane, and does not wait for it. */
async function opened(): Promise<void> {
  await vi.waitFor(async () => {
    await bodyOf(await ask('/echo', 'first'))
    expect(came.at(-1)).toBe('lane')
  })
  came.length = 0
}

test('requests share one stream, each with its own answer', async () => {
  await opened()
  const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => ask('/echo', `message ${n} ä`)))
  expect(answers.map(({ status, text }) => [status, text])).toEqual(
    Array.from({ length: 200 }, (_, n) => [201, `Bearer key message ${n} ä`]),
  )
  expect(answers[0]?.headers['x-is']).toBe('here')
  expect(new Set(came)).toEqual(new Set(['lane']))
  await clock.advance(3_600_000)
  await bodyOf(await ask('/echo', 'an hour later'))
  expect(lanes).toBe(1)
})

test('a DTMA that cannot take a lane now is asked again after ten seconds', async () => {
  refusal = 503
  for (let n = 0; n < 5; n += 1) await bodyOf(await ask('/echo', String(n)))
  await clock.advance(9_999)
  await bodyOf(await ask('/echo', 'too soon'))
  expect(lanes).toBe(1)
  await clock.advance(1)
  await bodyOf(await ask('/echo', 'in time'))
  await vi.waitFor(() => expect(lanes).toBe(2))
})

test('a long request takes a stream of its own; a long answer comes in pieces, and holds up no other', async () => {
  await opened()
  expect(await bodyOf(await ask('/echo', 'x'.repeat(100_000)))).toHaveLength(100_011)
  expect(came).toEqual(['own'])
  const [large, small] = [ask('/large', ''), ask('/echo', 'small')]
  expect((await small).text).toBe('Bearer key small')
  expect(await bodyOf(await large)).toBe('ä'.repeat(2 << 20))
})

test('an answer that is streamed arrives as it is written; one that breaks off is not taken for complete', async () => {
  await opened()
  const { body } = await ask('/half', '')
  const chunks: string[] = []
  body.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  half.write('the first half')
  await vi.waitFor(() => expect(chunks.join('')).toBe('the first half'))
  const broken = new Promise((resolve) => body.once('error', resolve))
  half.destroy(new Error('something broke'))
  expect(String(await broken)).toContain('broke the answer off')
})

test('who gives up is not waited for at the far side, before the answer and during it', async () => {
  await opened()
  const gone = new AbortController()
  const never = ask('/never', '', gone.signal)
  const rejected = expect(never).rejects.toThrow('enough')
  await vi.waitFor(() => expect(came).toEqual(['lane']))
  gone.abort(new Error('enough'))
  await rejected
  await vi.waitFor(() => expect(left).toEqual(['/never']))

  const { body } = await ask('/half', '')
  body.destroy()
  await vi.waitFor(() => expect(half.destroyed).toBe(true))
  expect((await ask('/echo', 'still')).text).toBe('Bearer key still')
})

test('when the connection ends, every request in the lane fails, and the far side stops its work', async () => {
  await opened()
  const failures = Promise.allSettled([ask('/never', ''), ask('/never', '')])
  await vi.waitFor(() => expect(came).toHaveLength(2))
  socket.destroy()
  expect((await failures).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await vi.waitFor(() => expect(left).toEqual(['/never', '/never']))
})

test('a DTMA without lanes is asked once, and served by a stream for each request', async () => {
  refusal = 404
  for (let n = 0; n < 5; n += 1) expect(await bodyOf(await ask('/echo', String(n)))).toBe(`Bearer key ${n}`)
  expect(came).toEqual(['own', 'own', 'own', 'own', 'own'])
  await clock.advance(3_600_000)
  await bodyOf(await ask('/echo', 'an hour later'))
  expect(lanes).toBe(1)
})

test('a DTMA that cannot take a lane now is asked again after ten seconds', async () => {
  refusal = 503
  await bodyOf(await ask('/echo', 'first'))
  await vi.waitFor(() => expect(lanes).toBe(1))
  await vi.waitFor(async () => {
    await clock.advance(10_000)
    await bodyOf(await ask('/echo', 'later'))
    expect(lanes).toBeGreaterThan(1)
  })
})

test('a request of the lane is under way until its answer is whole, or nobody waits for it any more', async () => {
  await opened()
  const gone = new AbortController()
  const never = ask('/never', '', gone.signal).catch(() => {})
  await bodyOf(await ask('/echo', 'whole'))
  await vi.waitFor(() => expect(session.inFlight).toBe(1))
  gone.abort()
  await never
  await vi.waitFor(() => expect(session.inFlight).toBe(0))
})

test('what is no frame ends the lane, and no more than the lane', async () => {
  await opened()
  const sent = new PassThrough()
  const { body } = serveLane(appOn('lane'), {
    method: 'POST',
    url: LANE_PATH,
    headers: {},
    body: sent,
    signal: new AbortController().signal,
  })
  const broken = new Promise((resolve) => (body as Readable).once('error', resolve))
  sent.write(frameOf(1, FRAME.ask, '', { path: LANE_PATH, headers: {} }))
  expect(String(await broken)).toContain('no request of a lane')
  expect((await ask('/echo', 'still')).text).toBe('Bearer key still')
})

const HEAD = { status: 200, headers: {} }
test.each<[string, (id: number) => Buffer[]]>([
  ['begins an answer twice', (id) => [frameOf(id, FRAME.begin, '', HEAD), frameOf(id, FRAME.begin, '', HEAD)]],
  [
    'ends one that it has begun by a whole one',
    (id) => [frameOf(id, FRAME.begin, '', HEAD), frameOf(id, FRAME.answer, 'x', HEAD)],
  ],
])('a toolbox that %s lets nobody wait for the first', async (_, frames) => {
  wrong = frames
  const { body } = await vi.waitFor(async () => {
    const answer = await ask('/echo', '', AbortSignal.timeout(5_000))
    expect(answer.status).toBe(200) // on a stream of its own it is 201
    return answer
  })
  await expect(readAll(body, 1 << 20, () => new Error('too long'))).rejects.toThrow('out of order')
})

test('frames are read however their bytes are cut', () => {
  const bytes = Buffer.concat([
    frameOf(7, FRAME.answer, 'ä body', { status: 200, headers: {} }),
    frameOf(2 ** 32 - 1, FRAME.cancel),
    frameOf(8, FRAME.piece, Buffer.alloc(1_000, 1)),
  ])
  for (const step of [1, 3, 9, 64, bytes.length]) {
    const read: unknown[] = []
    const reader = createFrameReader((id, kind, payload) => read.push([id, kind, payload.length]))
    for (let at = 0; at < bytes.length; at += step) reader(bytes.subarray(at, at + step))
    expect(read).toEqual([
      [7, FRAME.answer, '{"status":200,"headers":{}}\nä body'.length + 1],
      [2 ** 32 - 1, FRAME.cancel, 0],
      [8, FRAME.piece, 1_000],
    ])
  }
  expect(() => createFrameReader(() => {})(Buffer.alloc(16, 0xff))).toThrow('no frame')
})
