import type { Socket } from 'node:net'
import type { JsonRpcAnswer } from '../contract/json-rpc.ts'
import { problem } from '../contract/problems.ts'
import { type HttpUpstream, NotStreamable, openHttp } from './http.upstream.ts'
import { NoStream, openSse, type SseEvents } from './sse.upstream.ts'
import { notConnected, type UpstreamRequest } from './upstream.ts'

/**
 * MCP over HTTP to a container, by whichever of its transports the server speaks. As the specification tells clients to: streamable
 * HTTP, unless `initialize` is refused with 400, 404 or 405 and a GET of the same URL opens a stream of the transport before it.
 */
export function openOverHttp(
  url: string,
  firstId: number,
  events: SseEvents,
  connect?: () => Promise<Socket>,
): HttpUpstream {
  const path = new URL(url).pathname
  let closed = false
  let upstream = openHttp(url, firstId, events, connect)
  let other: HttpUpstream | undefined

  async function olderOrNone(request: UpstreamRequest, refused: NotStreamable): Promise<JsonRpcAnswer> {
    if (closed) throw notConnected()
    const older = openSse(url, firstId, events, connect)
    other = older
    try {
      const answer = await older.request(request)
      upstream.close()
      upstream = older
      return answer
    } catch (error) {
      older.close()
      if (!(error instanceof NoStream)) throw error
      throw problem('tool-protocol-error', `${refused.message}, and ${error.message}: it serves no MCP at ${path}`)
    } finally {
      other = undefined
    }
  }

  return {
    get inSession() {
      return upstream.inSession
    },
    async request(request) {
      try {
        return await upstream.request(request)
      } catch (error) {
        if (!(error instanceof NotStreamable)) throw error
        return olderOrNone(request, error)
      }
    },
    notify: (method, params) => upstream.notify(method, params),
    agree: (version) => upstream.agree(version),
    close() {
      closed = true
      other?.close()
      upstream.close()
    },
  }
}
