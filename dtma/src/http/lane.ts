import { once } from 'node:events'
import { Readable } from 'node:stream'
import { isObject } from '../contract/json-rpc.ts'
import {
  createFrameReader,
  FRAME,
  frameOf,
  gatherFrames,
  LANE_MOST,
  LANE_PATH,
  LANE_PIECE,
  type LaneAnswer,
  type LaneAsk,
  splitPayload,
} from '../contract/lane.ts'
import type { HttpReply, HttpRequest } from './exchange.ts'
import type { App } from './listener.ts'

/** Unread bytes of a lane after which long answers wait for its reader; short ones are bounded by their number. */
const UNREAD_BYTES = 256 << 10

/** Answers the requests of one lane with the app, each as if it had come by itself; ends when the lane does. */
export function serveLane(app: App, lane: HttpRequest): HttpReply {
  const underWay = new Map<number, AbortController>()
  const out = new Readable({ highWaterMark: UNREAD_BYTES, read: () => void out.emit('room') })
  const gathered = gatherFrames((bytes) => void (out.destroyed || out.push(bytes)))
  const { send } = gathered

  async function answer(id: number, ask: LaneAsk, body: Buffer): Promise<void> {
    const gone = new AbortController()
    underWay.set(id, gone)
    const { path: url, headers } = ask
    const reply = await app({ method: 'POST', url, headers, body: [body], signal: gone.signal })
    try {
      if (gone.signal.aborted) discard(reply)
      else await sendReply(id, reply, gone.signal)
    } catch {
      send(frameOf(id, FRAME.broken)) // half an answer was sent; this is how its reader hears of it
    } finally {
      underWay.delete(id)
    }
  }

  /** @throws What breaks its body, or the signal's reason. */
  async function sendReply(id: number, { status, headers, body = '' }: HttpReply, signal: AbortSignal): Promise<void> {
    const head: LaneAnswer = { status, headers }
    if (typeof body === 'string' && body.length <= LANE_PIECE / 3) return send(frameOf(id, FRAME.answer, body, head))
    send(frameOf(id, FRAME.begin, '', head))
    const stream = typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body
    const leave = () => void stream.destroy()
    signal.addEventListener('abort', leave)
    try {
      for await (const chunk of stream as AsyncIterable<Buffer | string>) {
        const bytes = Buffer.from(chunk as Buffer)
        for (let at = 0; at < bytes.length; at += LANE_PIECE) {
          send(frameOf(id, FRAME.piece, bytes.subarray(at, at + LANE_PIECE)))
          if (out.readableLength + gathered.bytes > UNREAD_BYTES) await once(out, 'room', { signal })
        }
      }
      send(frameOf(id, FRAME.end))
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  function take(id: number, kind: number, payload: Buffer): void {
    if (kind === FRAME.cancel) underWay.get(id)?.abort(new Error('the client has gone'))
    else if (kind === FRAME.ask) begin(id, payload)
  }

  function begin(id: number, payload: Buffer): void {
    if (underWay.size >= LANE_MOST || underWay.has(id)) {
      send(frameOf(id, FRAME.broken))
      return
    }
    const { head, body } = splitPayload<LaneAsk>(payload)
    if (typeof head.path !== 'string' || !isObject(head.headers) || head.path === LANE_PATH)
      throw new Error('This is no request of a lane')
    void answer(id, head, Buffer.from(body))
  }

  async function read(): Promise<void> {
    const reader = createFrameReader(take)
    for await (const chunk of lane.body) reader(chunk)
  }

  out.once('close', () => {
    for (const gone of underWay.values()) gone.abort(new Error('the lane is closed'))
  })
  read().then(
    () => out.push(null),
    (error: Error) => out.destroy(error),
  )
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' },
    body: out,
  }
}

function discard({ body }: HttpReply): void {
  if (typeof body === 'object') body.destroy()
}
