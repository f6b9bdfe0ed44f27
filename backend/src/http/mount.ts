import type { Parsed, Reply, StreamEvent, UserOperation } from '@agentopia/api'
import type { Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Caller } from './caller.ts'
import type { ClientAddress } from './client-address.ts'
import { readJsonBody } from './json-body.ts'
import { createOpenStreams } from './open-streams.ts'
import {
  admit,
  type BrowserSession,
  checked,
  type OperationRequest,
  type RequestContext,
  type RequirePresence,
} from './operation-request.ts'
import { readUpload } from './upload-body.ts'

type CallerOf<Op extends UserOperation> = Op['auth'] extends 'none' ? Caller | undefined : Caller

type Handler<Op extends UserOperation> = (
  input: Parsed<Op>,
  context: RequestContext<CallerOf<Op>>,
) => Promise<Reply<Op>>

type StreamHandler<Op extends UserOperation> = (
  input: Parsed<Op>,
  context: RequestContext<CallerOf<Op>>,
) => Promise<AsyncIterable<{ readonly id?: string; readonly data: StreamEvent<Op> }>>

/** What is sent as a file. */
interface SentFile {
  /** One of the media types that the operation names. */
  readonly type: string
  readonly name: string
  readonly chunks: AsyncIterable<string>
}

type FileHandler<Op extends UserOperation> = (
  input: Parsed<Op>,
  context: RequestContext<CallerOf<Op>>,
) => Promise<SentFile>

type UploadHandler<Op extends UserOperation> = (
  input: Parsed<Op>,
  bytes: Uint8Array,
  context: RequestContext<CallerOf<Op>>,
) => Promise<Reply<Op>>

export interface MountDeps {
  readonly app: Hono
  /** @returns `undefined` for nobody. @throws {ProblemError} for a credential that is wrong. */
  readonly authenticate: (c: Context) => Promise<Caller | undefined>
  readonly clientAddress: ClientAddress
  readonly requirePresence: RequirePresence
}

export { BODY_LIMIT } from './json-body.ts'
export type { BrowserSession, RequestContext } from './operation-request.ts'

/** A comment line on silent streams, so that proxies keep them open and dead clients are noticed; and whoever lost his right is cut. */
const STREAM_KEEPALIVE_MS = 8_000

export interface Mount {
  /** Serves `op`: caller and input are checked before `handle` runs. Every operation is mounted exactly once. */
  reply<Op extends UserOperation>(op: Op, handle: Handler<Op>): void
  /** Serves `op` as server-sent events. */
  stream<Op extends UserOperation>(op: Op, handle: StreamHandler<Op>): void
  /** Serves `op` as a file that is sent as fast as it is read, and no faster. */
  file<Op extends UserOperation>(op: Op, handle: FileHandler<Op>): void
  /** Serves `op`, whose request carries bytes: at most as many as it says. */
  upload<Op extends UserOperation>(op: Op, handle: UploadHandler<Op>): void
  /**
   * Answers a request for `op` that came another way than by HTTP: caller and input are checked as there.
   * @throws {Error} when `op` is not served by {@link reply}. @throws {ProblemError}
   */
  replyTo(op: UserOperation, request: OperationRequest): Promise<unknown>
  /** Ids of what has been mounted; the start fails unless they are all the operations there are. */
  readonly mounted: ReadonlySet<string>
}

export function createMount({ app, authenticate, clientAddress, requirePresence }: MountDeps): Mount {
  const mounted = new Set<string>()
  const open = createOpenStreams()
  const replies = new Map<string, (request: OperationRequest) => Promise<unknown>>()

  function claim(op: UserOperation): void {
    if (mounted.has(op.id)) throw new Error(`operation ${op.id} is mounted twice`)
    mounted.add(op.id)
  }

  const asked = (c: Context): OperationRequest => ({
    authenticate: () => authenticate(c),
    params: c.req.param(),
    query: c.req.query(),
    readBody: () => readJsonBody(c.req.raw),
    idempotencyKey: c.req.header('idempotency-key'),
    lastEventId: c.req.header('last-event-id')?.slice(0, 255),
    browser: browserOf(c, clientAddress(c)),
    signal: c.req.raw.signal,
  })
  const requestOf = <Op extends UserOperation>(op: Op, c: Context) => checked(op, asked(c), requirePresence)

  return {
    mounted,
    reply(op, handle) {
      claim(op)
      const answer = async (request: OperationRequest) => {
        const { input, context } = await checked(op, request, requirePresence)
        return handle(input, context as never)
      }
      replies.set(op.id, answer)
      app.on(op.method, op.path, async (c) => {
        const result = await answer(asked(c))
        return op.status === 204 ? c.body(null, 204) : c.json(result as object, op.status)
      })
    },
    async replyTo(op, request) {
      const answer = replies.get(op.id)
      if (!answer) throw new Error(`operation ${op.id} does not answer with a reply`)
      return answer(request)
    },
    upload(op, handle) {
      claim(op)
      app.on(op.method, op.path, async (c) => {
        const { input, context } = await requestOf(op, c)
        const bytes = await readUpload(c.req.raw, op.upload?.mostBytes ?? 0)
        return c.json((await handle(input, bytes, context as never)) as object, op.status as 200)
      })
    },
    file(op, handle) {
      claim(op)
      app.on(op.method, op.path, async (c) => {
        const gone = new AbortController()
        c.req.raw.signal.addEventListener('abort', () => gone.abort())
        const { input, context } = await requestOf(op, c)
        const { type, name, chunks } = await handle(input, { ...context, signal: gone.signal } as never)
        c.header('content-type', `${type}; charset=utf-8`)
        c.header('content-disposition', `attachment; filename="${name}"`)
        return c.body(asBytes(chunks, () => gone.abort()))
      })
    },
    stream(op, handle) {
      claim(op)
      app.on(op.method, op.path, async (c) => {
        const gone = new AbortController()
        c.req.raw.signal.addEventListener('abort', () => gone.abort())
        const request = asked(c)
        const { input, context } = await checked(op, request, requirePresence)
        const leave = context.caller ? open.enter(context.caller) : () => {}
        const events = await handle(input, { ...context, signal: gone.signal } as never).catch((error: unknown) => {
          leave()
          throw error
        })
        return streamSSE(c, async (sse) => {
          sse.onAbort(() => gone.abort())
          const stillHere = () =>
            admit(op, request)
              .then(() => sse.write(': still here\n\n'))
              .catch(() => gone.abort())
          const keepalive = setInterval(() => void stillHere(), STREAM_KEEPALIVE_MS)
          try {
            await sse.write(': open\n\n')
            for await (const { id, data } of events) {
              if (gone.signal.aborted) break
              await sse.writeSSE({ ...(id === undefined ? {} : { id }), data: JSON.stringify(data) })
            }
          } finally {
            clearInterval(keepalive)
            leave()
            gone.abort()
          }
        })
      })
    },
  }
}

/** The next chunk is made when the one before it was taken. @param left The reader went away. */
function asBytes(chunks: AsyncIterable<string>, left: () => void): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        left()
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

const browserOf = (c: Context, address: string): BrowserSession => ({
  headers: new Headers({ cookie: c.req.header('cookie') ?? '' }),
  address,
  name: c.req.header('user-agent'),
  setCookies: (lines) => {
    for (const line of lines) c.header('set-cookie', line, { append: true })
  },
})
