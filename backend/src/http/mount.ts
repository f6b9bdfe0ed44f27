import {
  type Parsed,
  ProblemError,
  parseInput,
  problem,
  type Reply,
  type StreamEvent,
  type UserOperation,
} from '@agentopia/api'
import type { Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { type $ZodType, safeParse } from 'zod/v4/core'
import { type Caller, mayCall } from './caller.ts'
import type { ClientAddress } from './client-address.ts'
import { readJsonBody, storable } from './json-body.ts'
import { createOpenStreams } from './open-streams.ts'
import { readUpload } from './upload-body.ts'

/** The browser behind a request: for the operations that start and end sessions, and for nothing else. */
export interface BrowserSession {
  /** The cookies that came, and no other header. */
  readonly headers: Headers
  /** Address of the client, for limits; of the nearest proxy that is not trusted. */
  readonly address: string
  /** As the browser calls itself. */
  readonly name: string | undefined
  /** Whole `Set-Cookie` lines for the answer. */
  setCookies(lines: readonly string[]): void
}

/** What a handler knows of its request beyond the input. It never sees other headers. */
export interface RequestContext<Who = Caller> {
  readonly caller: Who
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** `Idempotency-Key` of a request for an operation that takes one, 1 to 255 characters. */
  readonly idempotencyKey: string | undefined
  /** Asks again, later: a token may have been revoked, a person removed. No answer is no revocation. */
  readonly isLetIn: () => Promise<boolean>
  /** Position to resume a stream from: the `Last-Event-ID` header. */
  readonly lastEventId: string | undefined
  readonly browser: BrowserSession
}

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
  /** For operations that need it. @throws {ProblemError} when the person did not show lately, in this browser, to be there. */
  readonly requirePresence: (caller: Caller, of: NonNullable<UserOperation['presence']>) => Promise<void>
}

export { BODY_LIMIT } from './json-body.ts'

/** A comment line on silent streams, so that proxies keep them open and dead clients are noticed; and whoever lost his right is cut. */
const STREAM_KEEPALIVE_MS = 8_000

/** A body may be wrong in thousands of places; the first few are enough to correct it. */
const DETAIL_LIMIT = 2_000

export interface Mount {
  /** Serves `op`: caller and input are checked before `handle` runs. Every operation is mounted exactly once. */
  reply<Op extends UserOperation>(op: Op, handle: Handler<Op>): void
  /** Serves `op` as server-sent events. */
  stream<Op extends UserOperation>(op: Op, handle: StreamHandler<Op>): void
  /** Serves `op` as a file that is sent as fast as it is read, and no faster. */
  file<Op extends UserOperation>(op: Op, handle: FileHandler<Op>): void
  /** Serves `op`, whose request carries bytes: at most as many as it says. */
  upload<Op extends UserOperation>(op: Op, handle: UploadHandler<Op>): void
  /** Ids of what has been mounted; the start fails unless they are all the operations there are. */
  readonly mounted: ReadonlySet<string>
}

export function createMount({ app, authenticate, clientAddress, requirePresence }: MountDeps): Mount {
  const mounted = new Set<string>()
  const open = createOpenStreams()

  function claim(op: UserOperation): void {
    if (mounted.has(op.id)) throw new Error(`operation ${op.id} is mounted twice`)
    mounted.add(op.id)
  }

  /** The checked input of a request, and who sends it. Who has to show to be there is told before anything else of it is looked at. */
  async function requestOf<Op extends UserOperation>(op: Op, c: Context) {
    const caller = await admit(op, c, authenticate)
    if (op.presence && caller && !op.presenceFor) await requirePresence(caller, op.presence)
    const input = await inputOf(op, c)
    if (op.presence && caller && op.presenceFor && fits(op.presenceFor, input))
      await requirePresence(caller, op.presence)
    const context = {
      caller,
      signal: c.req.raw.signal,
      idempotencyKey: op.problems.includes('idempotency-key-reused') ? idempotencyKeyOf(c) : undefined,
      isLetIn: () =>
        admit(op, c, authenticate).then(
          () => true,
          (error: unknown) => !isRefusal(error),
        ),
      lastEventId: c.req.header('last-event-id')?.slice(0, 255),
      browser: browserOf(c, clientAddress(c)),
    }
    return { input, context }
  }

  return {
    mounted,
    reply(op, handle) {
      claim(op)
      app.on(op.method, op.path, async (c) => {
        const { input, context } = await requestOf(op, c)
        const result = await handle(input, context as never)
        return op.status === 204 ? c.body(null, 204) : c.json(result as object, op.status)
      })
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
        const { input, context } = await requestOf(op, c)
        const leave = context.caller ? open.enter(context.caller) : () => {}
        const events = await handle(input, { ...context, signal: gone.signal } as never).catch((error: unknown) => {
          leave()
          throw error
        })
        return streamSSE(c, async (sse) => {
          sse.onAbort(() => gone.abort())
          const stillHere = () =>
            admit(op, c, authenticate)
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

async function admit(
  op: UserOperation,
  c: Context,
  authenticate: MountDeps['authenticate'],
): Promise<Caller | undefined> {
  const caller = await authenticate(c)
  if (op.auth === 'none') return caller
  if (!caller) throw problem('unauthenticated', 'This request carries neither a session nor a token')
  if (!mayCall(op.auth, caller)) throw problem('forbidden', `${op.id} needs the role ${op.auth}`)
  return caller
}

async function inputOf<Op extends UserOperation>(op: Op, c: Context): Promise<Parsed<Op>> {
  const body = op.body ? await readJsonBody(c.req.raw) : undefined
  const parsed = parseInput(op, {
    params: storable('params', c.req.param()),
    query: storable('query', c.req.query()),
    body,
  })
  if ('invalid' in parsed) throw problem('invalid-request', parsed.invalid.slice(0, DETAIL_LIMIT))
  return parsed.input
}

const fits = (schema: $ZodType, input: { readonly body?: unknown }): boolean => safeParse(schema, input.body).success

const LONGEST_KEY = 255

/** @throws {ProblemError} `invalid-request`: a key that is cut may be equal to another. */
function idempotencyKeyOf(c: Context): string | undefined {
  const key = c.req.header('idempotency-key')
  if (key === '' || (key !== undefined && key.length > LONGEST_KEY))
    throw problem('invalid-request', `Idempotency-Key: must be 1 to ${LONGEST_KEY} characters long`)
  return key
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ProblemError && (error.code === 'unauthenticated' || error.code === 'forbidden')

const browserOf = (c: Context, address: string): BrowserSession => ({
  headers: new Headers({ cookie: c.req.header('cookie') ?? '' }),
  address,
  name: c.req.header('user-agent'),
  setCookies: (lines) => {
    for (const line of lines) c.header('set-cookie', line, { append: true })
  },
})
