import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CODE, type JsonRpcRequest, parseMessage } from '../contract/json-rpc.ts'
import { answerTo } from './asked.ts'
import { type AnswerReader, createAnswerReader, isEventStream } from './http-answer.ts'
import { createHttpPool, type Exchange } from './http-pool.ts'
import type { HttpListener } from './http-reader.ts'
import { requestText } from './http-request.ts'
import { createInFlight } from './in-flight.ts'
import { modernHeaders } from './modern-headers.ts'
import { lost, type Upstream, type UpstreamEvents, type UpstreamRequest } from './upstream.ts'

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
const LISTEN_AGAIN_MS = 1_000
const LISTEN_AGAIN_MOST_MS = 30_000

/** MCP's streamable HTTP to a container. `ECONNREFUSED` passes through: a server that starts does not listen yet. */
export function openHttp(
  url: string,
  firstId: number,
  { onNotification }: Pick<UpstreamEvents, 'onNotification'>,
  connect?: () => Promise<Socket>,
): HttpUpstream {
  const address = new URL(url)
  const pool = createHttpPool(connect ?? (() => dial(address)))
  const inFlight = createInFlight(firstId)
  const closed = new AbortController()
  let listening = new AbortController()
  let sessionId: string | undefined
  let protocolVersion: string | undefined
  let telling = 0

  const ofSession = () => ({
    ...(sessionId ? { 'mcp-session-id': sessionId } : {}),
    ...(protocolVersion ? { 'mcp-protocol-version': protocolVersion } : {}),
  })

  const post = (message: object, listener: HttpListener, headers: Readonly<Record<string, string>> = ofSession()) =>
    pool.exchange(requestText('POST', address, headers, JSON.stringify(message)), listener)

  /** Sends, and hears nothing of it. What is lost here changes nothing that we know. */
  function tell(message: object, most: number): void {
    if (telling >= most) return
    telling += 1
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(TELL_MS)])
    until(signal, () => post(message, UNHEARD))
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
    begun: (exchange: Exchange) => void,
  ): Promise<void> {
    const modern = modernHeaders(method, params)
    const sentIn = modern ? undefined : sessionId
    let status = 0
    let reader: AnswerReader | undefined
    const listener: HttpListener = {
      onHead(head) {
        status = head.status
        if (status === 404 && sentIn !== undefined) {
          if (sessionId === sentIn) sessionId = undefined
          throw new SessionGone('The tool keeps no session')
        }
        if (method === 'initialize') sessionId = head.headers.get('mcp-session-id')
        reader = createAnswerReader(head, (text) => receive(text, id))
      },
      onText: (text) => reader?.read(text),
    }
    const message = { jsonrpc: '2.0', id, method, ...(params ? { params } : {}) }
    const mine = post(message, listener, modern ? { ...modern, ...headers } : ofSession())
    begun(mine)
    await mine.ended
    reader?.end()
    const unanswered = `The tool answered HTTP ${status} without an answer to ${method}`
    inFlight.answer(id, { error: { code: CODE.internal, message: unanswered } })
  }

  /** The stream on which the server says what belongs to no request. Most have none, which is no fault. */
  async function listen(signal: AbortSignal): Promise<void> {
    for (let pauseMs = LISTEN_AGAIN_MS; ; pauseMs = Math.min(2 * pauseMs, LISTEN_AGAIN_MOST_MS)) {
      let reader: AnswerReader | undefined
      const listener: HttpListener = {
        onHead(head) {
          if (head.status === 200 && isEventStream(head)) reader = createAnswerReader(head, (text) => receive(text))
        },
        onText: (text) => reader?.read(text),
      }
      const asked = () => pool.exchange(requestText('GET', address, ofSession()), listener)
      await until(signal, asked).catch(() => {}) // it broke: it is opened again
      if (!reader || signal.aborted) return
      await sleep(pauseMs, undefined, { signal })
    }
  }

  return {
    get inSession() {
      return sessionId !== undefined
    },
    request(request) {
      if (closed.signal.aborted) return Promise.reject(lost())
      let outgoing: Exchange | undefined
      const begun = (mine: Exchange) => {
        outgoing = mine
      }
      return inFlight.run(
        request,
        (id, params) => exchange(id, request, params, begun),
        (requestId, reason) => {
          // In the modern revision a stream that is closed says it.
          if (!modernHeaders(request.method, request.params))
            tell(
              { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } },
              MOST_NOTIFICATIONS,
            )
          outgoing?.giveUp()
        },
      )
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
      pool.close()
    },
  }
}

const UNHEARD: HttpListener = { onHead() {}, onText() {} }

function dial({ hostname, port }: URL): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connectTcp({ host, port: Number(port || 80), noDelay: true }, () => resolve(socket))
  socket.once('error', reject)
  return promise
}

/** @throws {Error} As the exchange does, and when it was given up. */
async function until(signal: AbortSignal, begin: () => Exchange): Promise<void> {
  signal.throwIfAborted()
  const { ended, giveUp } = begin()
  signal.addEventListener('abort', giveUp)
  await ended.finally(() => signal.removeEventListener('abort', giveUp))
}
