import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { HttpReply, HttpRequest } from './exchange.ts'

/** A request of the web's as our handlers see it; tests speak as clients do. */
const requestOf = (request: Request): HttpRequest => {
  const { pathname, search } = new URL(request.url)
  const { method, headers, body, signal } = request
  return {
    method,
    url: pathname + search,
    headers: Object.fromEntries(headers),
    body: body ? Readable.fromWeb(body as ReadableStream) : Readable.from([]),
    signal,
  }
}

/** A handler's reply as a client sees it. */
function responseOf({ status, headers, body }: HttpReply): Response {
  const content =
    typeof body === 'object' ? (Readable.toWeb(body) as unknown as globalThis.ReadableStream) : (body ?? null)
  return new Response(content, { status, headers: { ...headers } })
}

/** Something that answers requests of ours, as something that answers those of the web. */
export const asWeb =
  (answer: (request: HttpRequest) => Promise<HttpReply>) =>
  async (request: Request): Promise<Response> =>
    responseOf(await answer(requestOf(request)))
