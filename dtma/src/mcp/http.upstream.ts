import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { CODE, parseMessage } from '../contract/json-rpc.ts'
import { isEventStream, readAnswer } from './http-answer.ts'
import { createHttpRequests, MOST_NOTIFICATIONS, waitsForConnection } from './http-requests.ts'
import { createInFlight } from './in-flight.ts'
import { modernHeaders } from './modern-headers.ts'
import { createPace } from './pace.ts'
import { isLost, lost, notConnected, type Upstream, type UpstreamEvents, type UpstreamRequest } from './upstream.ts'

export interface HttpUpstream extends Upstream {
  /** Whether the server gave us a session that it has not disowned. */
  readonly inSession: boolean
  /** After a handshake: the version goes with every further request, and the standing stream is opened if there is one. */
  agree(protocolVersion: string): void
}

/** A session that the server no longer knows (404), or that ended with its stream: nothing was done, the handshake may be made again. */
export class SessionGone extends Error {
  override readonly name = 'SessionGone'
}

/** What `initialize` fails with where the server may speak the transport before this one: nothing was done. */
export class NotStreamable extends Error {
  override readonly name = 'NotStreamable'
}

const OLDER_TRANSPORT: ReadonlySet<unknown> = new Set([400, 404, 405])
const LISTEN_AGAIN_MS = 1_000
const LISTEN_AGAIN_MOST_MS = 30_000

/** MCP's streamable HTTP to a container. `ECONNREFUSED` passes through: a server that starts does not listen yet. */
export function openHttp(
  url: string,
  firstId: number,
  { onNotification }: Pick<UpstreamEvents, 'onNotification'>,
  connect?: () => Promise<Socket>,
): HttpUpstream {
  const inFlight = createInFlight(firstId)
  const pace = createPace()
  let listening = new AbortController()
  let sessionId: string | undefined
  let protocolVersion: string | undefined

  const ofSession = () => ({
    headers: {
      ...(sessionId ? { 'mcp-session-id': sessionId } : {}),
      ...(protocolVersion ? { 'mcp-protocol-version': protocolVersion } : {}),
    },
  })
  const { send, tell, reply, closed, close } = createHttpRequests(url, ofSession, connect)

  /** @param of The request on whose stream it came; none on the standing stream. */
  function receive(text: string, of?: number): void {
    const parsed = parseMessage(text)
    if (parsed?.kind === 'answer') inFlight.answer(parsed.id, parsed.answer)
    if (parsed?.kind === 'request') reply(parsed.message, inFlight.asking(of))
    if (parsed?.kind === 'notification' && !inFlight.notify(parsed.message, of)) onNotification(parsed.message)
  }

  async function exchange(
    id: number,
    { method, headers }: UpstreamRequest,
    params: UpstreamRequest['params'],
    begun: (outgoing: ClientRequest) => void,
  ): Promise<void> {
    const modern = modernHeaders(method, params)
    const sentIn = modern ? undefined : sessionId
    const message = { jsonrpc: '2.0', id, method, ...(params ? { params } : {}) }
    const place = modern ? { headers: { ...modern, ...headers } } : ofSession()
    const response = await send('POST', JSON.stringify(message), begun, place)
    if (response.statusCode === 404 && sentIn !== undefined) {
      response.destroy() // an endless one is not read
      if (sessionId === sentIn) sessionId = undefined
      throw new SessionGone('The tool keeps no session')
    }
    const given = response.headers['mcp-session-id']
    if (method === 'initialize') sessionId = typeof given === 'string' ? given : undefined
    await readAnswer(response, (text) => receive(text, id), pace)
    const unanswered = `The tool answered HTTP ${response.statusCode} without an answer to ${method}`
    if (method === 'initialize' && OLDER_TRANSPORT.has(response.statusCode)) throw new NotStreamable(unanswered)
    inFlight.answer(id, { error: { code: CODE.internal, message: unanswered } })
  }

  /** The stream on which the server says what belongs to no request. Most have none, which is no fault. */
  async function listen(signal: AbortSignal): Promise<void> {
    for (let pauseMs = LISTEN_AGAIN_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LISTEN_AGAIN_MOST_MS)) {
      const response = await send('GET', undefined, (outgoing) => addAbortSignal(signal, outgoing))
      if (response.statusCode !== 200 || !isEventStream(response)) return void response.destroy()
      await readAnswer(response, (text) => receive(text), pace).catch(() => {}) // it broke: it is opened again
      await sleep(pauseMs, undefined, { signal })
    }
  }

  return {
    get inSession() {
      return sessionId !== undefined
    },
    request(request) {
      if (closed.aborted) return Promise.reject(notConnected())
      let outgoing: ClientRequest | undefined
      const begun = (mine: ClientRequest) => {
        outgoing = mine
      }
      return inFlight
        .run(
          request,
          (id, params) => exchange(id, request, params, begun),
          (requestId, reason) => {
            // In the modern revision a stream that is closed says it.
            if (!modernHeaders(request.method, request.params))
              void tell(
                { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } },
                MOST_NOTIFICATIONS,
              )
            outgoing?.destroy()
          },
        )
        .catch((error: unknown) => {
          throw isLost(error) && waitsForConnection(outgoing) ? notConnected({ cause: error }) : error
        })
    },
    notify: (method, params) =>
      void tell({ jsonrpc: '2.0', method, ...(params ? { params } : {}) }, MOST_NOTIFICATIONS),
    agree(version) {
      protocolVersion = version
      listening.abort()
      listening = new AbortController()
      // Without the stream only changes of the capabilities are missed; calls do not need it.
      listen(AbortSignal.any([closed, listening.signal])).catch(() => {})
    },
    close() {
      if (closed.aborted) return
      inFlight.failAll(lost())
      close()
    },
  }
}
