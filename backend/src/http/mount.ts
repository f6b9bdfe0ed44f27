import { type Parsed, parseInput, problem, type Reply, type StreamEvent, type UserOperation } from '@agentopia/api'
import type { Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { type Caller, mayCall } from './caller.ts'

/** What a handler knows of its request beyond the input. It never sees headers. */
export interface RequestContext<Who = Caller> {
  readonly caller: Who
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** `Idempotency-Key` of the request, at most 255 characters. */
  readonly idempotencyKey: string | undefined
  /** Position to resume a stream from: the `Last-Event-ID` header. */
  readonly lastEventId: string | undefined
}

type CallerOf<Op extends UserOperation> = Op['auth'] extends 'none' ? Caller | undefined : Caller

export type Handler<Op extends UserOperation> = (
  input: Parsed<Op>,
  context: RequestContext<CallerOf<Op>>,
) => Promise<Reply<Op>>

export type StreamHandler<Op extends UserOperation> = (
  input: Parsed<Op>,
  context: RequestContext<CallerOf<Op>>,
) => Promise<AsyncIterable<{ readonly id?: string; readonly data: StreamEvent<Op> }>>

export interface MountDeps {
  readonly app: Hono
  /** @returns `undefined` for nobody. @throws {ProblemError} for a credential that is wrong. */
  readonly authenticate: (c: Context) => Promise<Caller | undefined>
}

/** The largest JSON body that is read, in bytes. */
export const BODY_LIMIT = 1_048_576

/** A comment line on silent streams, so that proxies keep them open and dead clients are noticed. */
const STREAM_KEEPALIVE_MS = 15_000

export interface Mount {
  /** Serves `op`: caller and input are checked before `handle` runs. Every operation is mounted exactly once. */
  reply<Op extends UserOperation>(op: Op, handle: Handler<Op>): void
  /** Serves `op` as server-sent events. */
  stream<Op extends UserOperation>(op: Op, handle: StreamHandler<Op>): void
  /** Ids of what has been mounted; the start fails unless they are all the operations there are. */
  readonly mounted: ReadonlySet<string>
}

export function createMount({ app, authenticate }: MountDeps): Mount {
  const mounted = new Set<string>()

  function claim(op: UserOperation): void {
    if (mounted.has(op.id)) throw new Error(`operation ${op.id} is mounted twice`)
    mounted.add(op.id)
  }

  return {
    mounted,
    reply(op, handle) {
      claim(op)
      app.on(op.method, op.path, async (c) => {
        const context = contextOf(c, await admit(op, c, authenticate))
        const result = await handle(await inputOf(op, c), context as never)
        return op.status === 204 ? c.body(null, 204) : c.json(result as object, op.status)
      })
    },
    stream(op, handle) {
      claim(op)
      app.on(op.method, op.path, async (c) => {
        const gone = new AbortController()
        c.req.raw.signal.addEventListener('abort', () => gone.abort())
        const context = { ...contextOf(c, await admit(op, c, authenticate)), signal: gone.signal }
        const events = await handle(await inputOf(op, c), context as never)
        return streamSSE(c, async (sse) => {
          sse.onAbort(() => gone.abort())
          const keepalive = setInterval(
            () => void sse.write(': still here\n\n').catch(() => gone.abort()),
            STREAM_KEEPALIVE_MS,
          )
          try {
            await sse.write(': open\n\n')
            for await (const { id, data } of events) {
              if (gone.signal.aborted) break
              await sse.writeSSE({ ...(id === undefined ? {} : { id }), data: JSON.stringify(data) })
            }
          } finally {
            clearInterval(keepalive)
            gone.abort()
          }
        })
      })
    },
  }
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
  const body = op.body ? await c.req.json().catch(() => undefined) : undefined
  const parsed = parseInput(op, { params: c.req.param(), query: c.req.query(), body })
  if ('invalid' in parsed) throw problem('invalid-request', parsed.invalid)
  return parsed.input
}

function contextOf(c: Context, caller: Caller | undefined) {
  return {
    caller,
    signal: c.req.raw.signal,
    idempotencyKey: c.req.header('idempotency-key')?.slice(0, 255),
    lastEventId: c.req.header('last-event-id')?.slice(0, 255),
  }
}
