import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import { parseMessage } from '../contract/json-rpc.ts'
import { problem } from '../contract/problems.ts'
import { createInFlight } from './in-flight.ts'
import { answerTo } from './stdio.upstream.ts'
import { lost, MAX_MESSAGE_BYTES, type Upstream, type UpstreamEvents, type UpstreamRequest } from './upstream.ts'

export interface HttpUpstream extends Upstream {
  /** Sent with every further request, once it is agreed. */
  agree(protocolVersion: string): void
}

/** A session that the server no longer knows (404): nothing was done, the handshake may be made again. */
export class SessionGone extends Error {
  override readonly name = 'SessionGone'
}

/** MCP's streamable HTTP to a container. `ECONNREFUSED` passes through: a server that starts does not listen yet. */
export function openHttp(
  url: string,
  firstId: number,
  { onNotification }: Pick<UpstreamEvents, 'onNotification'>,
): HttpUpstream {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 })
  const inFlight = createInFlight(firstId)
  let sessionId: string | undefined
  let protocolVersion: string | undefined
  let closed = false

  function post(message: object, signal?: AbortSignal): Promise<IncomingMessage> {
    const body = JSON.stringify(message)
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(url, {
        method: 'POST',
        agent,
        ...(signal ? { signal } : {}),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          accept: 'application/json, text/event-stream',
          ...(sessionId ? { 'mcp-session-id': sessionId } : {}),
          ...(protocolVersion ? { 'mcp-protocol-version': protocolVersion } : {}),
        },
      })
      outgoing.once('response', resolve)
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  }

  /** Sends without waiting for more than the status. A notification that is lost changes nothing that we know. */
  function tell(message: object): void {
    post(message).then(
      (response) => response.resume(),
      () => {},
    )
  }

  function receive(text: string): void {
    const parsed = parseMessage(text)
    if (parsed?.kind === 'answer') inFlight.answer(parsed.id, parsed.answer)
    if (parsed?.kind === 'request') tell(answerTo(parsed.message))
    if (parsed?.kind === 'notification' && !inFlight.notify(parsed.message)) onNotification(parsed.message)
  }

  async function exchange(
    id: number,
    request: UpstreamRequest,
    params: UpstreamRequest['params'],
    gone: AbortSignal,
  ): Promise<void> {
    const response = await post({ jsonrpc: '2.0', id, method: request.method, ...(params ? { params } : {}) }, gone)
    if (response.statusCode === 404 && sessionId !== undefined) {
      response.resume()
      sessionId = undefined
      throw new SessionGone('the server does not know the session any more')
    }
    const given = response.headers['mcp-session-id']
    if (typeof given === 'string') sessionId = given
    await readAnswer(response, receive)
    const unanswered = problem(
      'tool-protocol-error',
      `The tool answered HTTP ${response.statusCode} without an answer to ${request.method}`,
    )
    inFlight.answer(id, { error: { code: -32_603, message: unanswered.message } })
  }

  return {
    request(request) {
      if (closed) return Promise.reject(lost())
      const gone = new AbortController()
      return new Promise((resolve, reject) => {
        inFlight
          .run(
            request,
            (id, params) => exchange(id, request, params, gone.signal).catch(reject),
            (requestId, reason) => {
              tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } })
              gone.abort()
            },
          )
          .then(resolve, reject)
      })
    },
    notify: (method, params) => tell({ jsonrpc: '2.0', method, ...(params ? { params } : {}) }),
    agree(version) {
      protocolVersion = version
    },
    close() {
      if (closed) return
      closed = true
      inFlight.failAll(lost())
      agent.destroy()
    },
  }
}

/** Hands every message of a JSON or event-stream answer to `receive`; bounded in size. */
async function readAnswer(response: IncomingMessage, receive: (text: string) => void): Promise<void> {
  response.setEncoding('utf8')
  const type = response.headers['content-type'] ?? ''
  if (type.startsWith('text/event-stream')) {
    let unread = 0
    const parser = createParser({
      onEvent: ({ data }) => {
        unread = 0
        receive(data)
      },
    })
    for await (const chunk of response as AsyncIterable<string>) {
      unread += chunk.length
      if (unread > MAX_MESSAGE_BYTES) throw problem('tool-protocol-error', 'The tool sent a message that is too large')
      parser.feed(chunk)
    }
    return
  }
  let text = ''
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk
    if (text.length > MAX_MESSAGE_BYTES)
      throw problem('tool-protocol-error', 'The tool sent a message that is too large')
  }
  if (text !== '') receive(text)
}
