import type { JsonRpcAnswer, JsonRpcNotification, JsonRpcRequest } from '../contract/json-rpc.ts'
import { ProblemError } from '../contract/problem.ts'
import { problem } from '../contract/problems.ts'

export interface UpstreamRequest {
  readonly method: string
  readonly params?: Readonly<Record<string, unknown>>
  /** Over HTTP, what stands in headers beside what the revision itself wants there. */
  readonly headers?: Readonly<Record<string, string>>
  /** Gives the request up: the server is told `notifications/cancelled`. */
  readonly signal: AbortSignal
  /** Progress and log messages that belong to this request, in order, before it ends. */
  readonly onNotification?: (notification: JsonRpcNotification) => void
  /** Whom it is made for, in words of our caller's; requests of one caller may be taken for each other. Absent: unknown. */
  readonly caller?: string
  /** Does it wait for its client to come back with what the server asked? */
  readonly isAsking?: () => boolean
  /** What the server wants of the client before it answers. Absent: the client cannot be asked. */
  readonly onRequest?: (request: JsonRpcRequest) => Promise<JsonRpcAnswer>
}

/** A connection to one MCP server. */
export interface Upstream {
  /**
   * Sends a request and waits for its answer, which may be an error of the server's.
   * @throws {ProblemError} `tool-not-running` when the connection was gone before, `tool-lost` when it went in the midst of it,
   *   `too-busy`, `tool-protocol-error`; or the signal's reason when it aborts.
   */
  request(request: UpstreamRequest): Promise<JsonRpcAnswer>
  notify(method: string, params?: Readonly<Record<string, unknown>>): void
  /** The connection ends; requests in flight fail. Safe to call twice. */
  close(): void
}

export interface UpstreamEvents {
  /** A notification that belongs to no request. */
  readonly onNotification: (notification: JsonRpcNotification) => void
  /** The connection is gone, and not because {@link Upstream.close} was called. @param why What the server did that it had to end. */
  readonly onLost: (why?: ProblemError) => void
}

/** Longest message of a server that is read, in bytes. */
export const MAX_MESSAGE_BYTES = 8 << 20

/** It was sent, or in part: whether it was done, nobody knows. */
export const lost = (options?: ErrorOptions) =>
  problem(
    'tool-lost',
    'The connection to the tool ended before it answered: it may have done what it was asked',
    options,
  )

export const isLost = (error: unknown): boolean => error instanceof ProblemError && error.code === 'tool-lost'

/** Nothing of it was sent. Other words than those of earlier versions, which had one code and one sentence for this and {@link lost}. */
export const notConnected = (options?: ErrorOptions) =>
  problem('tool-not-running', 'There is no connection to the tool', options)
