import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Operation, Parsed, Reply, StreamEvent } from '../contract/operation.ts'
import { parseInput } from '../contract/parse-input.ts'
import { problem } from '../contract/problems.ts'
import { EMPTY, jsonReply } from './exchange.ts'
import { readJsonBody } from './json-body.ts'
import type { Routed, Routes } from './routes.ts'

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
) => AsyncIterable<Event<Op>>

interface Event<Op extends Operation> {
  readonly id: string
  readonly data: StreamEvent<Op>
}

/** A comment line on silent streams: proxies keep them open, and a dead client is noticed. */
const KEEPALIVE_MS = 10_000
/** A body may be wrong in thousands of places; the first few are enough to correct it. */
const DETAIL_LIMIT = 2_000

/** Serves `op` with `handle`. Input is parsed before the handler runs. */
export function mount<Op extends Operation>(routes: Routes, op: Op, handle: Handler<Op>): void {
  routes.on(op.method, op.path, async (routed) => {
    const reply = await handle(await inputOf(op, routed), contextOf(routed, routed.request.signal))
    return op.status === 204 ? EMPTY : jsonReply(reply, op.status)
  })
}

/** Serves `op` as server-sent events. The pace is the client's: nothing is read ahead of it. */
export function mountStream<Op extends Operation>(routes: Routes, op: Op, handle: StreamHandler<Op>): void {
  routes.on(op.method, op.path, async (routed) => {
    const gone = new AbortController()
    routed.request.signal.addEventListener('abort', () => gone.abort(), { once: true })
    // A wrong request is refused here, while it can still have a status.
    const events = handle(await inputOf(op, routed), contextOf(routed, gone.signal))
    const body = new PassThrough({ highWaterMark: 1_024 })
    body.once('close', () => gone.abort())
    void tell(events, body, gone.signal)
    return { status: 200, headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }, body }
  })
}

/** Ends the stream with the events; breaks it off when they fail. */
async function tell<Op extends Operation>(
  events: AsyncIterable<Event<Op>>,
  body: PassThrough,
  gone: AbortSignal,
): Promise<void> {
  const keepalive = setInterval(() => body.writableNeedDrain || body.write(': still here\n\n'), KEEPALIVE_MS)
  try {
    body.write(': open\n\n')
    for await (const { id, data } of events) {
      if (gone.aborted) break
      if (!body.write(`data: ${JSON.stringify(data)}\nid: ${id}\n\n`)) await once(body, 'drain', { signal: gone })
    }
    body.end()
  } catch (error) {
    body.destroy(error instanceof Error ? error : new Error(String(error)))
  } finally {
    clearInterval(keepalive)
  }
}

async function inputOf<Op extends Operation>(op: Op, { request, params, query }: Routed): Promise<Parsed<Op>> {
  const body = op.body ? await readJsonBody(request) : undefined
  const parsed = parseInput(op, { params, query, body })
  if ('invalid' in parsed) throw problem('invalid-request', parsed.invalid.slice(0, DETAIL_LIMIT))
  return parsed.input
}

const contextOf = ({ request }: Routed, signal: AbortSignal): RequestContext => ({
  signal,
  lastEventId: [request.headers['last-event-id']].flat()[0]?.slice(0, 64),
})
