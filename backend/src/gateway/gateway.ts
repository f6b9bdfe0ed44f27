import type { IncomingMessage, ServerResponse } from 'node:http'
import { CODE, clientOf, type JsonRpcNotification } from '@agentopia/dtma/contract'
import type { OwnNames } from '../http/same-site.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Sealer } from '../store/seal.ts'
import type { MakeCall } from './call.ts'
import { createCalls } from './calls.ts'
import { createCallsUnderWay } from './calls-under-way.ts'
import { cutWhenRevoked } from './cut-when-revoked.ts'
import type { CallingAgent } from './exchange.ts'
import type { ExecuteOnce } from './execute-once.ts'
import { createListening } from './listening.ts'
import { answerTo } from './mcp-answer.ts'
import { capabilitiesIn, createClientMemories } from './mcp-client.ts'
import { McpRefusal } from './mcp-refusal.ts'
import { parseStrictly, readBody } from './mcp-request.ts'
import { eraOf } from './mcp-revision.ts'
import { createMethods } from './methods.ts'
import { createPasses } from './passes.ts'
import { createQuestions } from './questions.ts'
import { refuse, refuseStrangers } from './refuse.ts'
import { createRequestStates } from './request-state.ts'
import type { SearchAddresses } from './search-addresses.ts'
import { createSharedLists } from './shared-lists.ts'
import { serveStandingStream } from './standing-stream.ts'
import type { OpenToolbelt, Toolbelts } from './toolbelts.ts'
import type { CallUpstream } from './upstream.ts'

export interface GatewayDeps {
  readonly toolbelts: Pick<Toolbelts, 'of' | 'watch'>
  readonly makeCall: MakeCall
  readonly executeOnce: ExecuteOnce
  readonly searchAddresses: SearchAddresses
  readonly callUpstream: CallUpstream
  /** Whose token this is; `undefined` for nobody's. */
  readonly findAgent: (secret: string) => Promise<CallingAgent | undefined>
  readonly sealer: Sealer
  readonly clock: Clock
  /** For `WWW-Authenticate`: where a client without a token learns how to get one. */
  readonly challenge: string
  readonly own: OwnNames
  readonly version: string
  readonly log: Log
  /** How long a call may take. */
  readonly timeoutMs?: number
}

/** Where agents connect. Below it, by the name of an instance, each has an endpoint of its own. */
export const MCP_PATH = '/mcp'
const PATH = /^\/mcp(?:\/([a-z0-9-]{1,63}))?(?:\?|$)/
const TIMEOUT_MS = 300_000

/**
 * One MCP endpoint for every agent: authenticate ▸ parse ▸ resolve ▸ authorise ▸ call ▸ record ▸ answer.
 * It keeps nothing that a call needs between requests; a session id is given to clients of earlier revisions, which need one to
 * take calls back, and to be asked.
 * @returns A listener that says whether the request was for it.
 */
export function createGateway(deps: GatewayDeps): (request: IncomingMessage, response: ServerResponse) => boolean {
  const {
    toolbelts,
    makeCall,
    executeOnce,
    searchAddresses,
    callUpstream,
    findAgent,
    challenge,
    sealer,
    clock,
    own,
    version,
    log,
    timeoutMs = TIMEOUT_MS,
  } = deps
  const underWay = createCallsUnderWay()
  const questions = createQuestions()
  const memories = createClientMemories()
  const lists = createSharedLists({ callUpstream, clock })
  const listening = createListening({ toolbelts, lists, callUpstream, clock })
  const states = createRequestStates(sealer, clock.now)
  const calls = createCalls({
    makeCall,
    executeOnce,
    underWay,
    questions,
    states,
    passes: createPasses(),
    version,
    log,
    timeoutMs,
  })
  const handle = createMethods({ calls, lists, listening, makeCall, searchAddresses, clock, version })

  async function serve(request: IncomingMessage, response: ServerResponse, only: string | undefined): Promise<void> {
    refuseStrangers(request, own)
    const { agent, isLetIn } = await authenticate(request)
    cutWhenRevoked(response, isLetIn)
    const { headers, method } = request
    const sessionId = String(headers['mcp-session-id'] ?? '')
    const client = JSON.stringify([agent.agentId, sessionId])
    const streams = headers.accept?.includes('text/event-stream') ?? false
    if (method === 'GET' && streams) {
      await openOf(agent, only)
      return serveStandingStream({ agent, only, memory: memories(client), response, listening })
    }
    if (method !== 'POST')
      throw new McpRefusal(405, CODE.invalidRequest, 'Only POST is served here, and GET for a stream')

    const parsed = parseStrictly(await readBody(request))
    const era = eraOf(headers, parsed)
    if (parsed.kind === 'notification') takeBack(client, parsed.message)
    if (parsed.kind === 'answer') questions.answered(client, parsed.id, parsed.answer)
    if (parsed.kind !== 'request') return void response.writeHead(202).end()

    const { message } = parsed
    const open = await openOf(agent, only)
    const about =
      era === 'modern'
        ? clientOf(message.params)
        : { capabilities: streams ? capabilitiesIn(sessionId) : {}, logLevel: memories(client).logLevel }
    const answer = answerTo(response, message.id, { streams })
    const memory = () => memories(client)
    await handle({
      message,
      era,
      headers,
      agent,
      isLetIn,
      open,
      only,
      client,
      about,
      memory,
      response,
      answer,
      streams,
    })
  }

  async function openOf({ accountId, agentId }: CallingAgent, only: string | undefined): Promise<OpenToolbelt> {
    const whole = await toolbelts.of(accountId, agentId)
    if (!whole) throw new McpRefusal(401, CODE.invalidRequest, 'The agent is no more')
    const open = only === undefined ? whole : whole.only(only)
    if (!open) throw new McpRefusal(404, CODE.invalidRequest, 'There is no such endpoint')
    return open
  }

  async function authenticate({ headers }: IncomingMessage) {
    const { authorization } = headers
    if (authorization === undefined)
      throw new McpRefusal(401, CODE.invalidRequest, 'Send the token of an agent as a bearer token')
    const secret = /^Bearer ([\w.~+/=-]{1,256})$/i.exec(authorization)?.[1]
    const find = async () => (secret === undefined ? undefined : findAgent(secret))
    const agent = await find()
    if (!agent) throw new McpRefusal(401, CODE.invalidRequest, 'The token is unknown, expired or revoked')
    return { agent, isLetIn: async () => (await find()) !== undefined }
  }

  function takeBack(client: string, { method, params }: JsonRpcNotification): void {
    if (method === 'notifications/cancelled') underWay.cancel(client, params?.['requestId'])
  }

  return (request, response) => {
    const path = PATH.exec(request.url ?? '')
    if (!path) return false
    serve(request, response, path[1]).catch((error: unknown) => {
      if (!(error instanceof McpRefusal) && !request.destroyed) log.error({ err: error }, 'gateway request failed')
      refuse(request, response, error, { allow: 'GET, POST', challenge })
    })
    return true
  }
}
