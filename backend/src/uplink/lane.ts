import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import {
  createFrameReader,
  FRAME,
  frameOf,
  type GatheredFrames,
  gatherFrames,
  LANE_MOST,
  LANE_PATH,
  LANE_PIECE,
  type LaneAnswer,
  splitPayload,
} from '@agentopia/dtma/contract'
import type { Clock } from '../reconcile/clock.ts'
import type { DtmaAnswer, DtmaRequest } from './dtma-session.ts'
import { brokenOff } from './readable-of.ts'

/** The lane of one session: short requests share a stream, opened when the first of them comes. */
export interface Lane {
  /** `undefined`: it must take a stream of its own. */
  take(request: DtmaRequest): Promise<DtmaAnswer> | undefined
  /** How many requests have no whole answer yet. */
  readonly waiting: number
}

/** A request whose answer is not complete. */
interface Waiting {
  /** Nobody waits any more. */
  readonly settle: () => void
  readonly answer: (answer: DtmaAnswer) => void
  readonly fail: (error: unknown) => void
  /** Of an answer that comes in pieces. */
  body?: Readable
}

/** The stream that was accepted, and what goes there. */
interface OpenLane {
  readonly stream: ClientHttp2Stream
  readonly frames: GatheredFrames
}

/** After a refusal other than "no such thing". */
const RETRY_MS = 10_000
/** Bytes of one answer that its reader has not taken. The lane waits for nobody: whoever lets so much lie loses the answer. */
const MOST_UNREAD = 16 << 20
/** Bytes that the toolbox has not taken yet; with more, requests take streams of their own, which have windows of their own. */
const MOST_UNSENT = 1 << 20

export function createLane(session: ClientHttp2Session, clock: Pick<Clock, 'steady'>): Lane {
  const waiting = new Map<number, Waiting>()
  let open: OpenLane | undefined
  let isOpening = false
  let notBefore = Number.NEGATIVE_INFINITY
  let nextId = 0
  const send = (frame: Buffer): void => open?.frames.send(frame)

  function dial(authorization: string): void {
    isOpening = true
    const stream = session.request(
      { ':method': 'POST', ':path': LANE_PATH, authorization, 'content-type': 'application/octet-stream' },
      { endStream: false },
    )
    const reader = createFrameReader(receive)
    stream.once('response', ({ ':status': status }) => {
      if (status === 200)
        open = { stream, frames: gatherFrames((bytes) => void (stream.destroyed || stream.write(bytes))) }
      else stream.close()
      notBefore = status === 404 ? Number.POSITIVE_INFINITY : clock.steady() + RETRY_MS
    })
    stream.on('data', (chunk: Buffer) => {
      if (open?.stream !== stream) return // the text of a refusal
      try {
        reader(chunk)
      } catch (error) {
        stream.destroy(error as Error)
      }
    })
    stream.on('error', () => {}) // whoever waits hears of it below
    stream.once('end', () => stream.close())
    stream.once('close', () => {
      isOpening = false
      open = undefined
      if (waiting.size === 0) return
      const broken = brokenOff(stream)
      for (const { fail } of [...waiting.values()]) fail(broken)
    })
  }

  function receive(id: number, kind: number, payload: Buffer): void {
    const one = waiting.get(id)
    if (!one) return // given up meanwhile
    // Whoever reads what was begun would wait for ever: this is the last that is heard of it.
    if (one.body && (kind === FRAME.answer || kind === FRAME.begin)) one.fail(new Error('the answer is out of order'))
    else if (kind === FRAME.answer) {
      one.settle()
      one.answer(wholeAnswer(payload))
    } else if (kind === FRAME.begin) {
      one.body = bodyOf(id, one)
      one.answer({ ...splitPayload<LaneAnswer>(payload).head, body: one.body })
    } else if (kind === FRAME.piece) {
      one.body?.push(Buffer.from(payload))
      if ((one.body?.readableLength ?? 0) > MOST_UNREAD) one.body?.destroy(new Error('the answer is not read'))
    } else if (kind === FRAME.end) {
      one.settle()
      one.body?.push(null)
    } else if (kind === FRAME.broken) one.fail(new Error('the toolbox broke the answer off'))
  }

  function bodyOf(id: number, { settle }: Waiting): Readable {
    const body = new Readable({
      read() {},
      destroy(error, done) {
        if (waiting.has(id)) send(frameOf(id, FRAME.cancel))
        settle()
        done(error)
      },
    })
    body.on('error', () => {}) // whoever reads it gets the error too
    return body
  }

  function ask({ path, headers, signal }: DtmaRequest, body: string): Promise<DtmaAnswer> {
    return new Promise((answer, reject) => {
      signal?.throwIfAborted()
      const id = nextId
      nextId = (nextId + 1) % 2 ** 32
      const giveUp = () => {
        send(frameOf(id, FRAME.cancel))
        one.fail(signal?.reason)
      }
      const one: Waiting = {
        answer,
        settle() {
          waiting.delete(id)
          signal?.removeEventListener('abort', giveUp)
        },
        fail(error) {
          one.settle()
          if (one.body) one.body.destroy(error as Error)
          else reject(error)
        },
      }
      signal?.addEventListener('abort', giveUp)
      waiting.set(id, one)
      send(frameOf(id, FRAME.ask, body, { path, headers }))
    })
  }

  return {
    get waiting() {
      return waiting.size
    },
    take(request) {
      const { body, headers, mayShare } = request
      // A character of text has three bytes at most.
      if (!mayShare || typeof body !== 'string' || body.length > LANE_PIECE / 3 || session.destroyed) return undefined
      if (!open) {
        if (!isOpening && clock.steady() >= notBefore) dial(headers['authorization'] ?? '')
        return undefined
      }
      return waiting.size >= LANE_MOST || open.stream.writableLength > MOST_UNSENT ? undefined : ask(request, body)
    },
  }
}

function wholeAnswer(payload: Buffer): DtmaAnswer {
  const { head, body } = splitPayload<LaneAnswer>(payload)
  const text = body.toString('utf8')
  return {
    ...head,
    text,
    get body() {
      return Readable.from([Buffer.from(text)])
    },
  }
}
