import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { Readable } from 'node:stream'
import type { Fetch } from '@agentopia/dtma/contract'
import { SESSION_WINDOW, STREAM_WINDOW, WsDuplex } from '@agentopia/dtma/tunnel'
import type { WebSocket } from 'ws'
import { brokenOff, readableOf } from './readable-of.ts'

export interface TunnelRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

export interface TunnelAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
}

/** HTTP/2 inside one WebSocket, with us as the client. */
export interface TunnelSession {
  /** Rejects when the tunnel ends before the answer begins, or `signal` aborts; an abort later destroys the body. */
  request(request: TunnelRequest): Promise<TunnelAnswer>
  readonly fetch: Fetch
}

export function openSession(ws: WebSocket): TunnelSession {
  const session: ClientHttp2Session = connect('http://dtma', {
    createConnection: () => new WsDuplex(ws),
    settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
  })
  session.on('connect', () => session.setLocalWindowSize(SESSION_WINDOW))
  session.on('error', () => {}) // each request in flight hears of it by itself
  // With an error: without one, answers that are under way would end as if they were complete.
  ws.once('close', () => session.destroy(new Error('the tunnel is closed')))

  function request({ method, path, headers, body, signal }: TunnelRequest): Promise<TunnelAnswer> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (session.destroyed) throw new Error('the tunnel is closed')
      // The length lets the other side read in one piece, and refuse what is too long before it comes.
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      const stream = session.request(
        { ':method': method, ':path': path, ...headers, ...length },
        { endStream: body === undefined, ...(signal ? { signal } : {}) },
      )
      stream.once('response', ({ ':status': status, ...rest }) =>
        resolve({ status: status!, headers: rest, body: readableOf(stream) }),
      )
      stream.once('error', reject)
      stream.once('close', () => reject(brokenOff(stream)))
      if (body !== undefined) stream.end(body)
    })
  }

  return { request, fetch: fetchOver(request) }
}

/** `fetch` for whoever wants web types. */
const fetchOver =
  (request: TunnelSession['request']): Fetch =>
  async (url, { method = 'GET', headers = {}, body, signal } = {}) => {
    const { pathname, search } = new URL(url)
    const answer = await request({
      method,
      path: pathname + search,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    })
    const empty = answer.status === 204 || answer.status === 304
    if (empty) answer.body.resume()
    return new Response(empty ? null : (Readable.toWeb(answer.body) as ReadableStream<Uint8Array>), {
      status: answer.status,
      headers: webHeaders(answer.headers),
    })
  }

function webHeaders(headers: IncomingHttpHeaders): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers)) for (const one of [value ?? []].flat()) result.append(name, one)
  return result
}
