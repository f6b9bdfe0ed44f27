/** JSON-RPC 2.0 as MCP uses it: one object a message, no batches. */
export type JsonRpcId = string | number

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0'
  readonly id: JsonRpcId
  readonly method: string
  readonly params?: Readonly<Record<string, unknown>>
}

export interface JsonRpcNotification {
  readonly jsonrpc: '2.0'
  readonly method: string
  readonly params?: Readonly<Record<string, unknown>>
}

export interface JsonRpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** How a request ended. */
export type JsonRpcAnswer = { readonly result: Readonly<Record<string, unknown>> } | { readonly error: JsonRpcError }

export type JsonRpcMessage =
  | { readonly kind: 'request'; readonly message: JsonRpcRequest }
  | { readonly kind: 'notification'; readonly message: JsonRpcNotification }
  | { readonly kind: 'answer'; readonly id: JsonRpcId; readonly answer: JsonRpcAnswer }

/** Reserved codes (JSON-RPC 2.0 section 5.1). */
export const CODE = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
} as const

/** How an object begins. To look costs far less than what is thrown for a line of log. */
const OBJECT = /^[ \t\r\n]*\{/

/** @returns `undefined` for whatever is no message: ambiguous input is refused, not repaired. */
export function parseMessage(text: string): JsonRpcMessage | undefined {
  if (!OBJECT.test(text)) return undefined // a byte order mark, a log line
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // a torn line
  }
  return messageOf(value)
}

/** The same for what was parsed already. */
export const messageOf = (value: unknown): JsonRpcMessage | undefined =>
  isObject(value) && value['jsonrpc'] === '2.0' ? classify(value) : undefined

function classify(value: Record<string, unknown>): JsonRpcMessage | undefined {
  const { id, method, params, result, error } = value
  if (typeof method === 'string') {
    if (params !== undefined && !isObject(params)) return undefined
    const rest = params === undefined ? {} : { params }
    if (id === undefined) return { kind: 'notification', message: { jsonrpc: '2.0', method, ...rest } }
    return isId(id) ? { kind: 'request', message: { jsonrpc: '2.0', id, method, ...rest } } : undefined
  }
  if (!isId(id)) return undefined
  if (isObject(result) && error === undefined) return { kind: 'answer', id, answer: { result } }
  return isError(error) && result === undefined ? { kind: 'answer', id, answer: { error } } : undefined
}

/** Neither a list nor null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isId = (value: unknown): value is JsonRpcId =>
  typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))
const isError = (value: unknown): value is JsonRpcError =>
  isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'
