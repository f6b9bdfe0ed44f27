import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { urlToHttpOptions } from 'node:url'
import type { JsonRpcRequest } from '../contract/json-rpc.ts'
import { answerTo } from './asked.ts'
import type { UpstreamRequest } from './upstream.ts'

/** Where messages go, and what stands in their headers. */
export interface Place {
  /** With its query. Absent: that of the server's URL. */
  readonly path?: string
  readonly headers: Readonly<Record<string, string>>
}

/** HTTP to one server in a container, over connections that are kept for a moment. */
export interface HttpRequests {
  /**
   * @param begun Given the request, so that it can be given up.
   * @returns The head of the answer, whose body is to be read or destroyed.
   */
  send(
    method: 'GET' | 'POST',
    body: string | undefined,
    begun: (outgoing: ClientRequest) => void,
    place?: Place,
  ): Promise<IncomingMessage>
  /**
   * Sends a message that has no answer. What is lost here changes nothing that we know.
   * @param most With so many under way it is left out.
   * @returns Resolves, never rejects, when the server has taken it or the time for that is over.
   */
  tell(message: object, most: number): Promise<void>
  /**
   * Answers what the server asks. One that asks faster than it is answered gets no more answers.
   * @param isWanted Whether it still waits for the answer, once there is one.
   */
  reply(request: JsonRpcRequest, asking: UpstreamRequest | undefined, isWanted?: () => boolean): void
  /** Aborts with {@link close}. */
  readonly closed: AbortSignal
  /** Ends every connection. Safe to call twice. */
  close(): void
}

export const MOST_NOTIFICATIONS = 128
/** Answers to the server's own requests that are under way at once. */
const MOST_ANSWERS = 16
const TELL_MS = 10_000
/**
 * A connection that rested longer is not used again: many servers end one after 2 to 5 s, and a call that is sent at that moment is
 * lost, and cannot be sent twice. (Node heeds what a server says of it only below a limit of our own.)
 */
const REST_MS = 1_000
/** Of what comes where no answer is due, in bytes: so much is read that the connection can be used again. */
const MOST_UNDUE = 64 << 10

/** @param place Asked anew for each message. */
export function createHttpRequests(url: string, place: () => Place, connect?: () => Promise<Socket>): HttpRequests {
  const { hostname, port, path: ownPath } = urlToHttpOptions(new URL(url))
  const agent = new Agent({ keepAlive: true, maxSockets: 256, timeout: REST_MS })
  const closed = new AbortController()
  if (connect) agent.createConnection = dialled(connect)
  let telling = 0
  let replying = 0

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

  const send: HttpRequests['send'] = (method, body, begun, { path = ownPath, headers } = place()) =>
    new Promise((resolve, reject) => {
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
          ...headers,
        },
      })
      begun(outgoing)
      outgoing.once('response', resolve)
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  async function tell(message: object, most: number): Promise<void> {
    if (telling >= most) return
    telling += 1
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(TELL_MS)])
    await send('POST', JSON.stringify(message), (outgoing) => addAbortSignal(signal, outgoing))
      .then(readLittle)
      .catch(() => {})
      .finally(() => {
        telling -= 1
      })
  }

  return {
    send,
    tell,
    reply(request, asking, isWanted = () => true) {
      if (replying >= MOST_ANSWERS) return
      replying += 1
      void answerTo(request, asking).then((answer) => {
        replying -= 1
        if (isWanted()) void tell({ jsonrpc: '2.0', id: request.id, ...answer }, MOST_ANSWERS)
      })
    },
    closed: closed.signal,
    close() {
      closed.abort()
      agent.destroy()
    },
  }
}

/** Nothing of it was written yet. */
export const waitsForConnection = (outgoing: ClientRequest | undefined): boolean =>
  !outgoing?.socket || outgoing.socket.connecting

/** Of a body that says nothing, and may have no end. */
export function readLittle(response: IncomingMessage): void {
  let bytes = 0
  response
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MOST_UNDUE) response.destroy()
    })
}
