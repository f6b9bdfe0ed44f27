import type { IncomingHttpHeaders } from 'node:http'
import {
  CODE,
  HANDSHAKE_VERSIONS,
  isObject,
  type JsonRpcMessage,
  type JsonRpcRequest,
  META_KEY,
  MODERN,
  metaOf,
  nameOf,
  UNSUPPORTED_VERSION,
} from '@agentopia/dtma/contract'
import { McpRefusal } from './mcp-refusal.ts'

export const SPOKEN: readonly string[] = [MODERN, ...HANDSHAKE_VERSIONS]

/** Codes that MCP reserves (2026-07-28, error codes). */
const HEADER_MISMATCH = -32_020
const MISSING_CAPABILITY = -32_021

/** In the modern era some errors have an HTTP status of their own. */
export const statusOf = (code: number): number =>
  code === MISSING_CAPABILITY ? 400 : code === CODE.methodNotFound ? 404 : 200

/** `legacy`: the revisions that begin with `initialize`. */
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
  const { id, method, params } = message
  const meta = metaOf(params)
  const claimed = meta?.[META_KEY.protocolVersion]
  if (claimed === undefined) {
    if (header === MODERN)
      throw new McpRefusal(400, CODE.invalidParams, `params._meta lacks ${META_KEY.protocolVersion}`, { id })
    if (header !== undefined && method !== 'initialize' && !SPOKEN.includes(header)) throw unsupported(header, message)
    return 'legacy'
  }
  if (header !== undefined && header !== claimed) throw mismatch('MCP-Protocol-Version', message)
  if (claimed !== MODERN) throw unsupported(String(claimed), message)
  if (header === undefined) throw mismatch('MCP-Protocol-Version', message)
  if (headerOf(headers, 'mcp-method') !== method) throw mismatch('Mcp-Method', message)
  const name = nameOf(method, params)
  if (name !== undefined && decoded(headerOf(headers, 'mcp-name')) !== name) throw mismatch('Mcp-Name', message)
  if (!isObject(meta?.[META_KEY.clientCapabilities]))
    throw new McpRefusal(400, CODE.invalidParams, `params._meta lacks ${META_KEY.clientCapabilities}`, { id })
  return 'modern'
}

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
