import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { type Duplex, Readable } from 'node:stream'
import type { Fetch } from '@agentopia/dtma/contract'
import { SESSION_WINDOW, STREAM_WINDOW } from '@agentopia/dtma/tunnel'
import type { Clock } from '../reconcile/clock.ts'
import { createLane } from './lane.ts'
import { brokenOff, readableOf } from './readable-of.ts'

export interface DtmaRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** It and its answer are short, as a rule: it may share a stream with others of its kind. */
  readonly mayShare?: boolean
}

export interface DtmaAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
  /** The whole body, where it came in one piece; nobody need read {@link body} then. */
  readonly text?: string
}

/** HTTP/2 over one connection to a DTMA, with us as the client, whoever dialled. */
export interface DtmaSession {
  /** Rejects when the connection ends before the answer begins, or `signal` aborts; an abort later destroys the body. */
  request(request: DtmaRequest): Promise<DtmaAnswer>
  readonly fetch: Fetch
  /** How many requests have no whole answer yet. */
  readonly inFlight: number
  /** Sends a sign of life; `onAnswer` is called when the other end returns it. */
  ping(onAnswer: () => void): void
}

/** @param name Of the connection, for messages: `tunnel`. @param connection Ends with `close`, as every socket does. */
export function openSession(name: string, connection: Duplex, clock: Pick<Clock, 'steady'>): DtmaSession {
  const session: ClientHttp2Session = connect('http://dtma', {
    createConnection: () => connection,
    settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
  })
  session.on('connect', () => session.setLocalWindowSize(SESSION_WINDOW))
  session.on('error', () => {}) // each request in flight hears of it by itself
  // With an error: without one, answers that are under way would end as if they were complete.
  connection.once('close', () => session.destroy(new Error(`the ${name} is closed`)))

  const lane = createLane(session, clock)
  let streams = 0
  const request = (asked: DtmaRequest): Promise<DtmaAnswer> => lane.take(asked) ?? overStream(asked)

  function overStream({ method, path, headers, body, signal }: DtmaRequest): Promise<DtmaAnswer> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (session.destroyed) throw new Error(`the ${name} is closed`)
      // The length lets the other side read in one piece, and refuse what is too long before it comes.
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const stream = session.request(
        { ':method': method, ':path': path, ...headers, ...length },
        { endStream: body === undefined, ...(signal ? { signal } : {}) },
      )
      streams += 1
      let answered = false
      stream.once('response', ({ ':status': status, ...rest }) => {
        answered = true
        resolve({ status: status!, headers: rest, body: readableOf(stream) })
      })
      stream.once('error', reject)
      stream.once('close', () => {
        streams -= 1
        if (!answered) reject(brokenOff(stream))
      })
      if (body !== undefined) stream.end(body)
    })
  }

  return {
    request,
    fetch: fetchOver(request),
    get inFlight() {
      return streams + lane.waiting
    },
    ping: (onAnswer) => {
      if (!session.destroyed) session.ping((error) => error ?? onAnswer())
    },
  }
}

/** `fetch` for whoever wants web types. */
export const fetchOver =
  (request: DtmaSession['request']): Fetch =>
  async (url, { method = 'GET', headers = {}, body, signal } = {}) => {
    const { pathname, search } = new URL(url)
    const answer = await request({
      method,
      path: pathname + search,
      headers,
      ...(body === undefined ? {} : { body: body instanceof Blob ? await body.bytes() : body }),
      ...(signal ? { signal } : {}),
    })
    const empty = answer.status === 204 || answer.status === 304
    if (empty) answer.body.resume()
    const response = new Response(empty ? null : (Readable.toWeb(answer.body) as ReadableStream<Uint8Array>), {
      status: answer.status,
      headers: webHeaders(answer.headers),
    })
    // Defined, not assigned: the class of answers that Hono puts in the place of the web's lets none of its methods be written over.
    return Object.defineProperty(response, 'json', { value: () => jsonOf(response) })
  }

/** Longest answer that is read as JSON, in bytes: all that a tool says of its capabilities, and some more. */
const MOST_JSON = 16 << 20

/** A toolbox is its owner's, and so may be what answers there: what has no end must not fill the memory that all accounts share. */
async function jsonOf({ body }: Response): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MOST_JSON) throw new SyntaxError(`the answer is longer than ${MOST_JSON} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks, bytes).toString('utf8'))
}

function webHeaders(headers: IncomingHttpHeaders): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers)) for (const one of [value ?? []].flat()) result.append(name, one)
  return result
}
