import { ProblemError } from '@agentopia/api'
import {
  CODE,
  HANDSHAKE_VERSIONS,
  isLoud,
  type JsonRpcAnswer,
  type JsonRpcNotification,
  type JsonRpcRequest,
} from '@agentopia/dtma/contract'
import { retryAfterOf } from '../http/come-again.ts'
import { cleanText } from './clean-text.ts'
import { Denied } from './denied.ts'
import { type Era, SPOKEN } from './mcp-revision.ts'

export type Reply = JsonRpcAnswer

/** Is this passed on of what a tool says during a call? Log messages only to who asked for them. */
export const isHeard = ({ method, params }: JsonRpcNotification, logLevel: string | undefined): boolean =>
  method === 'notifications/progress' ||
  (method === 'notifications/message' && logLevel !== undefined && isLoud(params?.['level'], logLevel))

/** What an endpoint of ours says of itself. */
export interface Introduction {
  readonly capabilities: Readonly<Record<string, object>>
  /** For the model. */
  readonly instructions: string
}

const identity = (version: string) => ({ name: 'agentopia-toolboxes', title: 'Agentopia Toolboxes', version })

export const initialized = ({ params }: JsonRpcRequest, version: string, introduction: Introduction): Reply => ({
  result: {
    protocolVersion: HANDSHAKE_VERSIONS.find((known) => known === params?.['protocolVersion']) ?? HANDSHAKE_VERSIONS[0],
    serverInfo: identity(version),
    ...introduction,
  },
})

export const discovered = (version: string, introduction: Introduction): Reply => ({
  result: {
    supportedVersions: SPOKEN,
    serverInfo: identity(version),
    ...introduction,
    ttlMs: 3_600_000,
    cacheScope: 'private',
  },
})

const PAGE = 200
/** How long a list may be believed: as long as we do so ourselves. */
const LIST_TTL_MS = 5_000

/** One page of what may be used. The cursor is a position: the list of one toolbelt has a stable order. */
export function listPage(key: string, listed: readonly unknown[], { params }: JsonRpcRequest): Reply {
  const cursor = params?.['cursor'] ?? '0'
  const from = typeof cursor === 'string' && /^\d{1,9}$/.test(cursor) ? Number(cursor) : Number.NaN
  if (!(from <= listed.length)) return { error: { code: CODE.invalidParams, message: 'The cursor is not one of ours' } }
  const next = from + PAGE
  return {
    result: {
      [key]: listed.slice(from, next),
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

/** The results of these may be kept for a while; how long, and by whom, does not lie with the tool. */
const CACHEABLE: ReadonlySet<string> = new Set(['resources/read'])

/** A result of the modern era that says how long it may be believed: not at all, and by nobody else. */
export function asModern(reply: Reply, method: string, version: string): Reply {
  const named = withIdentity(reply, version)
  if ('error' in named || !CACHEABLE.has(method) || named.result['resultType'] !== 'complete') return named
  return { result: { ...named.result, ttlMs: 0, cacheScope: 'private' } }
}

const RESOURCE_NOT_FOUND = -32_002

/** What is not there, or not for this agent: nobody learns which. */
export function notThere(method: string, asked: string, era: Era): Reply {
  const shown = cleanText(asked.slice(0, 2_000))
  if (method === 'resources/read') {
    const code = era === 'legacy' ? RESOURCE_NOT_FOUND : CODE.invalidParams
    return { error: { code, message: 'Resource not found', data: { uri: shown } } }
  }
  const what = method === 'prompts/get' ? 'prompt' : 'tool'
  return { error: { code: CODE.invalidParams, message: `Unknown ${what}: ${shown.slice(0, 100)}` } }
}

/** A failure in MCP's terms. A denied capability looks like one that does not exist; codes of ours are those of HTTP. */
export function errorOf(error: unknown, absent: () => Reply, signal: AbortSignal): Reply {
  if (signal.aborted) return { error: { code: 499, message: 'The call was taken back' } }
  if (!(error instanceof ProblemError))
    return { error: { code: CODE.internal, message: 'Unexpected failure; it is in the log of the control plane' } }
  const { code, kind, message } = error
  if (error instanceof Denied && code !== 'capability-changed') return absent()
  // The model is to read it, as it reads what a tool says of its own failures.
  if (code === 'approval-denied' || code === 'approval-timeout')
    return { result: { content: [{ type: 'text', text: `${kind.title}. ${message}. ${kind.fix}` }], isError: true } }
  return problemReply(error)
}

/** A problem with its code, whether it may go away, and what to do. */
export function problemReply(error: ProblemError): Reply {
  const { code, kind, message } = error
  const retryAfterSeconds = retryAfterOf(error)
  const later = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  const data = { code, retryable: kind.retryable, fix: kind.fix, ...later }
  return { error: { code: kind.status, message: `${kind.title}: ${message}`, data } }
}

export const invalidParams = (message: string): Reply => ({ error: { code: CODE.invalidParams, message } })
