import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { HttpReply, HttpRequest } from './exchange.ts'
import type { App } from './listener.ts'

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

/** An app of the web's, such as Hono's, in the place of ours. */
export const fromWeb =
  (fetch: (request: Request) => Response | Promise<Response>): App =>
  async ({ method, url, headers, body, signal }) => {
    const named = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
    const content =
      method === 'GET' || method === 'HEAD' ? {} : { body: Readable.toWeb(Readable.from(body)), duplex: 'half' }
    const request = new Request(`http://dtma${url}`, { method, headers: named, signal, ...content } as RequestInit)
    const answer = await fetch(request)
    return {
      status: answer.status,
      // An app of HTTP/1 names its connection, too.
      headers: Object.fromEntries(
        [...answer.headers].filter(([name]) => name !== 'transfer-encoding' && name !== 'connection'),
      ),
      ...(answer.body ? { body: Readable.fromWeb(answer.body as ReadableStream) } : {}),
    }
  }
