import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { pipeline, type Writable } from 'node:stream'
import type { Log } from '../log.ts'
import type { HttpReply, HttpRequest } from './exchange.ts'

/** Answers every request; never rejects. */
export type App = (request: HttpRequest) => Promise<HttpReply>

type Incoming = IncomingMessage | Http2ServerRequest
/** What the responses of both versions have in common. */
type Outgoing = Writable & { writeHead(status: number, headers: OutgoingHttpHeaders): unknown }

/** Served over TCP and over the tunnel alike. */
export type Listener = (request: Incoming, response: Outgoing) => void

/** The app as an ordinary listener of Node's HTTP servers, of either version. */
export const listenerOf =
  (app: App, log: Pick<Log, 'debug'>): Listener =>
  (request, response) => {
    const gone = new AbortController()
    response.once('close', () => isAnswered(request, response) || gone.abort(new Error('the client has gone')))
    const { method = 'GET', url = '/', headers } = request
    void app({ method, url, headers, body: request, signal: gone.signal }).then((reply) => {
      if (response.destroyed) return discard(reply)
      send(reply, response, method === 'HEAD', (error) =>
        log.debug('an answer was broken off', { url, reason: error.message }),
      )
      // What nobody read of the request must not hold up the next one on this connection.
      if (!request.readableEnded) request.resume()
    })
  }

/** Over HTTP/2 an answer counts as finished also when it was never begun, because the client took the request back. */
const isAnswered = (request: Incoming, response: Outgoing): boolean => response.writableFinished && !request.aborted

function send(
  { status, headers, body }: HttpReply,
  response: Outgoing,
  isHead: boolean,
  broke: (error: Error) => void,
) {
  if (body === undefined || typeof body === 'string') {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    response.writeHead(status, { ...headers, ...length })
    response.end(isHead ? '' : body)
    return
  }
  response.writeHead(status, { ...headers })
  if (isHead) {
    body.destroy()
    response.end()
    return
  }
  pipeline(body, response, (error) => error && broke(error))
}

function discard({ body }: HttpReply): void {
  if (typeof body === 'object') body.destroy()
}
