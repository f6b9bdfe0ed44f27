import type { ServerResponse } from 'node:http'
import type { JsonRpcAnswer, JsonRpcId, JsonRpcNotification, JsonRpcRequest } from '@agentopia/dtma/contract'

/** The way back to the client of one request: JSON, or an event stream once there is something to say before the answer. */
export interface McpAnswer {
  /** Begins the event stream before there is anything to say. */
  open(): void
  /** Passes on what a tool says during the call. Left out when the client reads too slowly or takes no stream. */
  notify(notification: JsonRpcNotification): void
  /** Asks the client something on this stream. @returns False when it takes none, or reads too slowly. */
  ask(request: JsonRpcRequest): boolean
  end(answer: JsonRpcAnswer, status?: number): void
  /** Ends with a message that is written already. */
  endAsWritten(message: string): void
}

/** Unread bytes of one client after which it is told no more until it catches up. */
const MOST_UNREAD = 1 << 20
/** A call that takes longer shows its client, and what is in between, that it is alive; and again each time. */
const STILL_HERE_MS = 15_000

export interface McpClient {
  /** Does it take an event stream? */
  readonly streams: boolean
  readonly stillHereMs?: number
}

export function answerTo(
  response: ServerResponse,
  id: JsonRpcId,
  { streams, stillHereMs = STILL_HERE_MS }: McpClient,
): McpAnswer {
  const event = (message: string) => `event: message\ndata: ${message}\n\n`

  function stream(): void {
    if (!response.headersSent)
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
  }

  function say(text: string): boolean {
    if (!streams || response.writableEnded || response.destroyed) return false
    stream()
    if (response.writableLength >= MOST_UNREAD) return false
    response.write(text)
    return true
  }

  const stillHere = setInterval(() => say(': still here\n\n'), stillHereMs)
  response.once('close', () => clearInterval(stillHere))

  function finish(message: string, status: number): void {
    clearInterval(stillHere)
    if (response.headersSent) response.end(event(message))
    else sendText(response, status, message)
  }

  return {
    open: () => void say(': hello\n\n'),
    notify: (notification) => void say(event(JSON.stringify(notification))),
    ask: (request) => say(event(JSON.stringify(request))),
    end: (answer, status = 200) => finish(JSON.stringify({ jsonrpc: '2.0', id, ...answer }), status),
    // A line break would end the event's data.
    endAsWritten: (message) => finish(/[\r\n]/.test(message) ? JSON.stringify(JSON.parse(message)) : message, 200),
  }
}

export const sendJson = (
  response: ServerResponse,
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): void => sendText(response, status, JSON.stringify(value), headers)

function sendText(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(body)
}
