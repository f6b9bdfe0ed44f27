import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { envelopeOf, type JsonRpcRequest, type RequestClient } from '@agentopia/dtma/contract'
import type { McpAnswer } from './mcp-answer.ts'
import type { ClientMemory } from './mcp-client.ts'
import type { Era } from './mcp-revision.ts'
import type { OpenToolbelt } from './toolbelts.ts'

/** Who calls, as found by its token. */
export interface CallingAgent {
  readonly accountId: string
  readonly agentId: string
}

/** One request on its way through. */
export interface Exchange {
  readonly message: JsonRpcRequest
  readonly era: Era
  /** Of the HTTP request. */
  readonly headers: IncomingHttpHeaders
  readonly agent: CallingAgent
  /** Is its token still good? */
  readonly isLetIn: () => Promise<boolean>
  readonly open: OpenToolbelt
  /** The endpoint of one instance, by its name; `undefined`: of the whole toolbelt. */
  readonly only: string | undefined
  /** Tells clients of one agent apart, as well as it can be told without sessions. */
  readonly client: string
  /** What the client can be asked, and wants to hear. */
  readonly about: RequestClient
  /** Of a client of the earlier revisions. */
  readonly memory: () => ClientMemory
  readonly response: ServerResponse
  readonly answer: McpAnswer
  /** Does the client take an event stream? */
  readonly streams: boolean
}

/** A signal that aborts when the client of this response is gone. */
export function untilGone(response: ServerResponse): AbortController {
  const gone = new AbortController()
  const leave = () => gone.abort(new Error('the client went away'))
  if (response.destroyed) leave()
  // An answer that was sent whole has nobody left to tell.
  response.once('close', () => response.writableFinished || leave())
  return gone
}

/** A request of ours to a server, beside the calls of agents. */
export const writtenRequest = (method: string, params: object, client?: RequestClient): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { ...params, _meta: envelopeOf(client ?? { capabilities: {}, logLevel: undefined }) },
  })
