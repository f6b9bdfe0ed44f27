import type { Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Operation, Parsed, Reply, StreamEvent } from '../contract/operation.ts'
import { parseInput } from '../contract/parse-input.ts'
import { problem } from '../contract/problems.ts'
import { readJsonBody } from './json-body.ts'

/** What a handler knows of its request beyond the input. */
interface RequestContext {
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** Where an interrupted stream is to go on: the `Last-Event-ID` header. */
  readonly lastEventId: string | undefined
}

export type Handler<Op extends Operation> = (
  input: Parsed<Op>,
  context: RequestContext,
) => Promise<Reply<Op>> | Reply<Op>

export type StreamHandler<Op extends Operation> = (
  input: Parsed<Op>,
  context: RequestContext,
) => AsyncIterable<{ readonly id: string; readonly data: StreamEvent<Op> }>

/** A comment line on silent streams: proxies keep them open, and a dead client is noticed. */
const KEEPALIVE_MS = 10_000
/** A body may be wrong in thousands of places; the first few are enough to correct it. */
const DETAIL_LIMIT = 2_000

/** Serves `op` with `handle`. Input is parsed before the handler runs. */
export function mount<Op extends Operation>(app: Hono, op: Op, handle: Handler<Op>): void {
  app.on(op.method, op.path, async (c) => {
    const reply = await handle(await inputOf(op, c), contextOf(c, c.req.raw.signal))
    return op.status === 204 ? c.body(null, 204) : c.json(reply as object, op.status)
  })
}

/** Serves `op` as server-sent events. The pace is the client's: nothing is read ahead of it. */
export function mountStream<Op extends Operation>(app: Hono, op: Op, handle: StreamHandler<Op>): void {
  app.on(op.method, op.path, async (c) => {
    const gone = new AbortController()
    c.req.raw.signal.addEventListener('abort', () => gone.abort(), { once: true })
    // A wrong request is refused here, while it can still have a status.
    const events = handle(await inputOf(op, c), contextOf(c, gone.signal))
    return streamSSE(c, async (sse) => {
      sse.onAbort(() => gone.abort())
      const keepalive = setInterval(() => void sse.write(': still here\n\n').catch(() => gone.abort()), KEEPALIVE_MS)
      try {
        await sse.write(': open\n\n')
        for await (const { id, data } of events) {
          if (gone.signal.aborted) break
          await sse.writeSSE({ id, data: JSON.stringify(data) })
        }
      } finally {
        clearInterval(keepalive)
        gone.abort()
      }
    })
  })
}

async function inputOf<Op extends Operation>(op: Op, c: Context): Promise<Parsed<Op>> {
  const body = op.body ? await readJsonBody(c.req.raw) : undefined
  const parsed = parseInput(op, { params: c.req.param(), query: c.req.query(), body })
  if ('invalid' in parsed) throw problem('invalid-request', parsed.invalid.slice(0, DETAIL_LIMIT))
  return parsed.input
}

const contextOf = (c: Context, signal: AbortSignal): RequestContext => ({
  signal,
  lastEventId: c.req.header('last-event-id')?.slice(0, 64),
})
