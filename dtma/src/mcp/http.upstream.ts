import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { urlToHttpOptions } from 'node:url'
import { CODE, type JsonRpcRequest, parseMessage } from '../contract/json-rpc.ts'
import { answerTo } from './asked.ts'
import { isEventStream, readAnswer } from './http-answer.ts'
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

/** A session that the server no longer knows (404): nothing was done, the handshake may be made again. */
export class SessionGone extends Error {
  override readonly name = 'SessionGone'
}

/** Answers to the server's own requests that are under way at once; a server that asks faster gets none. */
const MOST_ANSWERS = 16
const MOST_NOTIFICATIONS = 128
const TELL_MS = 10_000
/** Of what comes where no answer is due, in bytes: so much is read that the connection can be used again. */
const MOST_UNDUE = 64 << 10
/**
 * A connection that rested longer is not used again: many servers end one after 2 to 5 s, and a call that is sent at that moment is
 * lost, and cannot be sent twice. (Node heeds what a server says of it only below a limit of our own.)
 */
const REST_MS = 1_000
const LISTEN_AGAIN_MS = 1_000
const LISTEN_AGAIN_MOST_MS = 30_000

/** Nothing of it was written yet. */
const waitsForConnection = (outgoing: ClientRequest | undefined): boolean =>
  !outgoing?.socket || outgoing.socket.connecting

function readLittle(response: IncomingMessage): void {
  let bytes = 0
  response
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MOST_UNDUE) response.destroy()
    })
}

/** MCP's streamable HTTP to a container. `ECONNREFUSED` passes through: a server that starts does not listen yet. */
export function openHttp(
  url: string,
  firstId: number,
  { onNotification }: Pick<UpstreamEvents, 'onNotification'>,
  connect?: () => Promise<Socket>,
): HttpUpstream {
  const { hostname, port, path } = urlToHttpOptions(new URL(url))
  const agent = new Agent({ keepAlive: true, maxSockets: 256, timeout: REST_MS })
  const inFlight = createInFlight(firstId)
  const pace = createPace()
  const closed = new AbortController()
  if (connect) agent.createConnection = dialled(connect)
  let listening = new AbortController()
  let sessionId: string | undefined
  let protocolVersion: string | undefined
  let telling = 0

  function dialled(dial: () => Promise<Socket>): Agent['createConnection'] {
    return (_, done) => {
      dial().then(
        (socket) => {
          done?.(null, socket)
          if (closed.signal.aborted) socket.destroy() // too late: the agent has gone
        },
        (error: Error) => done?.(error, undefined as never),
      )
      return undefined
    }
  }

  const ofSession = () => ({
    ...(sessionId ? { 'mcp-session-id': sessionId } : {}),
    ...(protocolVersion ? { 'mcp-protocol-version': protocolVersion } : {}),
  })

  /** @param begun Given the request, so that it can be given up. */
  function send(
    method: 'GET' | 'POST',
    body: string | undefined,
    begun: (outgoing: ClientRequest) => void,
    more: Readonly<Record<string, string>> = ofSession(),
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        hostname,
        port,
        path,
        method,
        agent,
        headers: {
          accept: body === undefined ? 'text/event-stream' : 'application/json, text/event-stream',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...more,
        },
      })
      begun(outgoing)
      outgoing.once('response', resolve)
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  /** Sends without waiting for more than the status. What is lost here changes nothing that we know. */
  function tell(message: object, most: number): void {
    if (telling >= most) return
    telling += 1
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(TELL_MS)])
    send('POST', JSON.stringify(message), (outgoing) => addAbortSignal(signal, outgoing))
      .then(readLittle)
      .catch(() => {})
      .finally(() => {
        telling -= 1
      })
  }

  /** @param of The request on whose stream it came; none on the standing stream. */
  function receive(text: string, of?: number): void {
    const parsed = parseMessage(text)
    if (parsed?.kind === 'answer') inFlight.answer(parsed.id, parsed.answer)
    if (parsed?.kind === 'request') reply(parsed.message, of)
    if (parsed?.kind === 'notification' && !inFlight.notify(parsed.message, of)) onNotification(parsed.message)
  }

  let replying = 0
  /** A server that asks faster than it is answered gets no more answers. */
  function reply(request: JsonRpcRequest, of: number | undefined): void {
    if (replying >= MOST_ANSWERS) return
    replying += 1
    void answerTo(request, inFlight.asking(of)).then((answer) => {
      replying -= 1
      tell({ jsonrpc: '2.0', id: request.id, ...answer }, MOST_ANSWERS)
    })
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
    const more = modern ? { ...modern, ...headers } : ofSession()
    const response = await send('POST', JSON.stringify(message), begun, more)
    if (response.statusCode === 404 && sentIn !== undefined) {
      response.destroy() // an endless one is not read
      if (sessionId === sentIn) sessionId = undefined
      throw new SessionGone('The tool keeps no session')
    }
    const given = response.headers['mcp-session-id']
    if (method === 'initialize') sessionId = typeof given === 'string' ? given : undefined
    await readAnswer(response, (text) => receive(text, id), pace)
    const unanswered = `The tool answered HTTP ${response.statusCode} without an answer to ${method}`
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
      if (closed.signal.aborted) return Promise.reject(notConnected())
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
              tell(
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
    notify: (method, params) => tell({ jsonrpc: '2.0', method, ...(params ? { params } : {}) }, MOST_NOTIFICATIONS),
    agree(version) {
      protocolVersion = version
      listening.abort()
      listening = new AbortController()
      // Without the stream only changes of the capabilities are missed; calls do not need it.
      listen(AbortSignal.any([closed.signal, listening.signal])).catch(() => {})
    },
    close() {
      if (closed.signal.aborted) return
      inFlight.failAll(lost())
      closed.abort()
      agent.destroy()
    },
  }
}
