import type { IncomingHttpHeaders } from 'node:http'
import { CODE, type JsonRpcMessage, type JsonRpcRequest } from '@agentopia/dtma/contract'
import { McpRefusal } from './mcp-refusal.ts'

/** Every request says what it speaks; there is no handshake and no session. */
const MODERN = '2026-07-28'
/** These begin with `initialize`. Newest first. */
export const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const
export const SPOKEN: readonly string[] = [MODERN, ...LEGACY]

/** Codes that MCP reserves (2026-07-28, error codes). */
const HEADER_MISMATCH = -32_020
const UNSUPPORTED_VERSION = -32_022

const META = 'io.modelcontextprotocol/'

export type Era = 'legacy' | 'modern'

/**
 * Which of the two a message speaks. In the modern one, headers repeat what the body says, so that others can route by them;
 * they must agree, or two readers of one request would see two requests.
 * @throws {McpRefusal} For a revision that is not spoken here, and for headers that say something else than the body.
 */
export function eraOf(headers: IncomingHttpHeaders, parsed: JsonRpcMessage): Era {
  const header = headerOf(headers, 'mcp-protocol-version')
  if (parsed.kind !== 'request') {
    if (header !== undefined && !SPOKEN.includes(header)) throw unsupported(header)
    return header === MODERN ? 'modern' : 'legacy'
  }
  const { message } = parsed
  const { id } = message
  const claimed = metaOf(message)?.[`${META}protocolVersion`]
  if (claimed === undefined) {
    if (header === MODERN)
      throw new McpRefusal(400, CODE.invalidParams, `params._meta lacks ${META}protocolVersion`, { id })
    if (header !== undefined && message.method !== 'initialize' && !SPOKEN.includes(header))
      throw unsupported(header, message)
    return 'legacy'
  }
  if (header !== undefined && header !== claimed) throw mismatch('MCP-Protocol-Version', message)
  if (claimed !== MODERN) throw unsupported(String(claimed), message)
  if (header === undefined) throw mismatch('MCP-Protocol-Version', message)
  if (headerOf(headers, 'mcp-method') !== message.method) throw mismatch('Mcp-Method', message)
  if (message.method === 'tools/call' && decoded(headerOf(headers, 'mcp-name')) !== message.params?.['name'])
    throw mismatch('Mcp-Name', message)
  if (!isObject(metaOf(message)?.[`${META}clientCapabilities`]))
    throw new McpRefusal(400, CODE.invalidParams, `params._meta lacks ${META}clientCapabilities`, { id })
  return 'modern'
}

/** Does the caller want to hear what a tool logs during the call? The modern era asks for it with each request. */
export const wantsLog = (era: Era, message: JsonRpcRequest): boolean =>
  era === 'legacy' || metaOf(message)?.[`${META}logLevel`] !== undefined

/** `_meta` as it goes on: what is between this client and us stays here. `undefined` when nothing is left of it. */
export function forwardedMeta(message: JsonRpcRequest): Readonly<Record<string, unknown>> | undefined {
  const entries = Object.entries(metaOf(message) ?? {}).filter(([key]) => !key.startsWith(META))
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function metaOf({ params }: JsonRpcRequest): Readonly<Record<string, unknown>> | undefined {
  const meta = params?.['_meta']
  return isObject(meta) ? meta : undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A header that came twice reads differently to different readers; Node joins such by a comma, which none of these holds. */
const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

/** What is no plain ASCII comes as `=?base64?…?=`. */
function decoded(value: string | undefined): string | undefined {
  const base64 = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value ?? '')?.[1]
  return base64 === undefined ? value : Buffer.from(base64, 'base64').toString('utf8')
}

const mismatch = (header: string, { id }: JsonRpcRequest) =>
  new McpRefusal(400, HEADER_MISMATCH, `The header ${header} does not say what the body says`, { id })

const unsupported = (requested: string, message?: JsonRpcRequest) =>
  new McpRefusal(400, UNSUPPORTED_VERSION, 'Unsupported protocol version', {
    id: message?.id ?? null,
    data: { supported: SPOKEN, requested: requested.slice(0, 40) },
  })
