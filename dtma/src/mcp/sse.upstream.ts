import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { CODE, parseMessage } from '../contract/json-rpc.ts'
import { type HttpUpstream, SessionGone } from './http.upstream.ts'
import { isEventStream, readAnswer } from './http-answer.ts'
import { createHttpRequests, MOST_NOTIFICATIONS, readLittle, waitsForConnection } from './http-requests.ts'
import { createInFlight } from './in-flight.ts'
import { placeOfMessages } from './message-place.ts'
import { createPace } from './pace.ts'
import { isLost, lost, notConnected, type UpstreamEvents, type UpstreamRequest } from './upstream.ts'

/** No stream of this transport is to be had at the URL: nothing was done. */
export class NoStream extends Error {
  override readonly name = 'NoStream'
}

export interface SseEvents extends Pick<UpstreamEvents, 'onNotification'> {
  /** The session ended with its stream, and a while later there is no other: what changes is not heard. */
  readonly onLapsed: () => void
}

/** One session. */
interface Stream {
  readonly response: IncomingMessage
  /** Where messages are posted, as the first event of the stream says. */
  place: string | undefined
  /** After the handshake. */
  agreed: boolean
  /** Until the server has taken that the handshake is over, it may refuse what comes; posts arrive in any order. */
  ready: Promise<void>
}

/** How long the answer to a post may take after the request that it brought was answered on the stream. */
const SPARE_MS = 10_000
const LAPSED_MS = 1_000
const LAPSED_MOST_MS = 30_000

/**
 * MCP's transport before streamable HTTP (2024-11-05): a GET opens a stream, which is the session; its first event names where
 * messages are posted, and their answers come on the stream. Each `initialize` opens another. What was posted when a stream
 * ends is lost: it may have been done. `ECONNREFUSED` passes through.
 */
export function openSse(
  url: string,
  firstId: number,
  { onNotification, onLapsed }: SseEvents,
  connect?: () => Promise<Socket>,
): HttpUpstream {
  const inFlight = createInFlight(firstId)
  const pace = createPace()
  let stream: Stream | undefined
  let protocolVersion: string | undefined
  let lapsedMs = LAPSED_MS
  const http = createHttpRequests(
    url,
    () => ({
      ...(stream?.place === undefined ? {} : { path: stream.place }),
      headers: protocolVersion === undefined ? {} : { 'mcp-protocol-version': protocolVersion },
    }),
    connect,
  )

  function receive(mine: Stream, text: string): void {
    const parsed = parseMessage(text)
    if (parsed?.kind === 'answer') inFlight.answer(parsed.id, parsed.answer)
    if (parsed?.kind === 'request') http.reply(parsed.message, inFlight.asking(), () => mine === stream)
    if (parsed?.kind === 'notification' && !inFlight.notify(parsed.message)) onNotification(parsed.message)
  }

  /** Reads until the stream ends. @param named Called with the first event. @throws What the server did that it had to end. */
  async function read(mine: Stream, named: () => void): Promise<void> {
    const take = (text: string, event?: string) => {
      if (mine.place === undefined) {
        mine.place = placeOfMessages(url, text, event)
        named()
      } else if (mine === stream && (event === undefined || event === 'message')) receive(mine, text)
    }
    await readAnswer(mine.response, take, pace)
    throw new NoStream('it ended its stream before it named an endpoint')
  }

  /** @throws {NoStream} Or a problem, the connection's error, the limit's reason. */
  async function open(limit: AbortSignal): Promise<Stream> {
    let opening: ClientRequest | undefined
    const begun = (outgoing: ClientRequest) => {
      opening = outgoing
    }
    const giveUp = () => opening?.destroy(limit.reason)
    limit.throwIfAborted()
    limit.addEventListener('abort', giveUp)
    try {
      const response = await http.send('GET', undefined, begun, { headers: {} })
      if (response.statusCode !== 200 || !isEventStream(response)) {
        response.destroy()
        throw new NoStream(`it answered a GET with HTTP ${response.statusCode}`)
      }
      const mine: Stream = { response, place: undefined, agreed: false, ready: Promise.resolve() }
      await new Promise<void>((named, failed) => {
        stream = mine
        read(mine, named).catch((why: unknown) => {
          failed(why)
          hangUp(mine, why)
        })
      })
      return mine
    } finally {
      limit.removeEventListener('abort', giveUp)
    }
  }

  function hangUp(mine: Stream | undefined, why?: unknown): void {
    mine?.response.destroy()
    if (!mine || mine !== stream) return
    stream = undefined
    inFlight.failAll(lost({ cause: why })) // whether it did what it was asked, nobody knows
    if (mine.agreed) lapse()
  }

  /** Whoever asks something opens another stream at once; a server that ends one after the other is asked ever more seldom. */
  function lapse(): void {
    setTimeout(() => {
      if (!stream && !http.closed.aborted) onLapsed()
    }, lapsedMs).unref()
    lapsedMs = Math.min(2 * lapsedMs, LAPSED_MOST_MS)
  }

  async function greet(request: UpstreamRequest) {
    hangUp(stream)
    protocolVersion = undefined
    const mine = await open(request.signal)
    try {
      return await ask(request, mine)
    } catch (error) {
      hangUp(mine)
      throw error
    }
  }

  async function post(
    mine: Stream,
    id: number,
    { method, signal }: UpstreamRequest,
    params: UpstreamRequest['params'],
    begun: (outgoing: ClientRequest) => void,
  ): Promise<void> {
    await mine.ready
    if (mine !== stream || signal.aborted) return // it has failed already
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, ...(params ? { params } : {}) })
    const response = await http.send('POST', body, begun)
    readLittle(response)
    const { statusCode = 0 } = response
    if (statusCode >= 200 && statusCode < 300) return
    const refused = `The tool answered HTTP ${statusCode} without an answer to ${method}`
    inFlight.answer(id, { error: { code: CODE.internal, message: refused } })
  }

  function ask(request: UpstreamRequest, mine: Stream) {
    let outgoing: ClientRequest | undefined
    return inFlight
      .run(
        request,
        (id, params) =>
          post(mine, id, request, params, (given) => {
            outgoing = given
          }),
        (requestId, reason) => {
          const params = { requestId, reason }
          if (mine === stream) void tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
          outgoing?.destroy()
        },
      )
      .catch((error: unknown) => {
        throw isLost(error) && waitsForConnection(outgoing) ? notConnected({ cause: error }) : error
      })
      .finally(() => endIn(SPARE_MS, outgoing))
  }

  const tell = (message: object): Promise<void> => http.tell(message, MOST_NOTIFICATIONS)

  return {
    get inSession() {
      return stream?.agreed === true
    },
    request(request) {
      if (http.closed.aborted) return Promise.reject(notConnected())
      if (request.method === 'initialize') return greet(request)
      if (!stream?.agreed) return Promise.reject(new SessionGone('The stream of the tool has ended'))
      return ask(request, stream)
    },
    notify(method, params) {
      if (!stream?.agreed) return
      const told = tell({ jsonrpc: '2.0', method, ...(params ? { params } : {}) })
      if (method === 'notifications/initialized') stream.ready = told
    },
    agree(version) {
      protocolVersion = version
      if (stream) stream.agreed = true
    },
    close() {
      if (http.closed.aborted) return
      stream = undefined
      inFlight.failAll(lost())
      http.close()
    },
  }
}

function endIn(ms: number, outgoing: ClientRequest | undefined): void {
  if (!outgoing || outgoing.destroyed) return
  const spare = setTimeout(() => outgoing.destroy(), ms).unref()
  outgoing.once('close', () => clearTimeout(spare))
}
