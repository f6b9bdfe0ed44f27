import { ProblemError } from '@agentopia/api'
import { CODE, type JsonRpcAnswer, type JsonRpcRequest } from '@agentopia/dtma/contract'
import { cleanText } from './clean-text.ts'
import { LEGACY, SPOKEN } from './mcp-revision.ts'

export type Reply = JsonRpcAnswer

/** What a tool says during a call, and is passed on; nothing else is. */
export const PROGRESS = 'notifications/progress'
export const LOGGED = 'notifications/message'

const CAPABILITIES = { tools: {} }
const INSTRUCTIONS =
  'Each tool is named <tool instance>__<capability>. The list holds what this agent was granted, and changes when that does.'
const identity = (version: string) => ({ name: 'agentopia-toolboxes', title: 'Agentopia Toolboxes', version })

export const initialized = ({ params }: JsonRpcRequest, version: string): Reply => ({
  result: {
    protocolVersion: LEGACY.find((known) => known === params?.['protocolVersion']) ?? LEGACY[0],
    capabilities: CAPABILITIES,
    serverInfo: identity(version),
    instructions: INSTRUCTIONS,
  },
})

export const discovered = (version: string): Reply => ({
  result: {
    supportedVersions: SPOKEN,
    capabilities: CAPABILITIES,
    serverInfo: identity(version),
    instructions: INSTRUCTIONS,
    ttlMs: 3_600_000,
    cacheScope: 'private',
  },
})

const PAGE = 200
/** How long a list may be believed: as long as we do so ourselves. */
const LIST_TTL_MS = 5_000

/** One page of what may be called. The cursor is a position: the list of one toolbelt has a stable order. */
export function listPage(listed: readonly unknown[], { params }: JsonRpcRequest): Reply {
  const cursor = params?.['cursor'] ?? '0'
  const from = typeof cursor === 'string' && /^\d{1,9}$/.test(cursor) ? Number(cursor) : Number.NaN
  if (!(from <= listed.length)) return { error: { code: CODE.invalidParams, message: 'The cursor is not one of ours' } }
  const next = from + PAGE
  return {
    result: {
      tools: listed.slice(from, next),
      ...(next < listed.length ? { nextCursor: String(next) } : {}),
      ttlMs: LIST_TTL_MS,
      cacheScope: 'private',
    },
  }
}

/** Results of the modern era say what kind they are and who sends them. */
export function withIdentity(reply: Reply, version: string): Reply {
  if ('error' in reply) return reply
  const { _meta: meta } = reply.result
  const ours = { 'io.modelcontextprotocol/serverInfo': identity(version) }
  return { result: { resultType: 'complete', ...reply.result, _meta: { ...ours, ...Object(meta) } } }
}

/** A failure in MCP's terms. A denied capability looks like one that does not exist; codes of ours are those of HTTP. */
export function errorOf(error: unknown, name: string, signal: AbortSignal): Reply {
  if (signal.aborted) return { error: { code: 499, message: 'The call was taken back' } }
  if (!(error instanceof ProblemError))
    return { error: { code: CODE.internal, message: 'Unexpected failure; it is in the log of the control plane' } }
  const { code, kind, message } = error
  if (code === 'capability-denied')
    return { error: { code: CODE.invalidParams, message: `Unknown tool: ${cleanText(name.slice(0, 100))}` } }
  const data = { code, retryable: kind.retryable, fix: kind.fix }
  return { error: { code: kind.status, message: `${kind.title}: ${message}`, data } }
}
