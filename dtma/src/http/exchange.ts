import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

/** One request as handlers see it, of HTTP/1 and of the HTTP/2 inside the tunnel alike. */
export interface HttpRequest {
  readonly method: string
  /** Path and query, as they were sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** As it comes, or in a list where all of it is there. */
  readonly body: AsyncIterable<Uint8Array> | readonly Uint8Array[]
  /** Aborts when the client goes away before it has its answer. */
  readonly signal: AbortSignal
}

/** What a handler answers. Nothing of it is sent before the handler has returned. */
export interface HttpReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text in one piece, or a stream at the pace of the client. Absent: no body. */
  readonly body?: string | Readable
}

export const jsonReply = (value: unknown, status = 200, type = 'application/json'): HttpReply => ({
  status,
  headers: { 'content-type': type },
  body: JSON.stringify(value),
})

export const EMPTY: HttpReply = { status: 204, headers: {} }
