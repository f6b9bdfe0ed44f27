import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ProblemError } from '@agentopia/api'
import { CODE, type JsonRpcNotification, type JsonRpcRequest } from '@agentopia/dtma/contract'
import type { OwnNames } from '../http/same-site.ts'
import type { Log } from '../log.ts'
import type { MakeCall } from './call.ts'
import { createCallsUnderWay } from './calls-under-way.ts'
import { answerTo, type McpAnswer } from './mcp-answer.ts'
import { McpRefusal } from './mcp-refusal.ts'
import {
  discovered,
  errorOf,
  initialized,
  LOGGED,
  listPage,
  PROGRESS,
  type Reply,
  withIdentity,
} from './mcp-replies.ts'
import { parseStrictly, readBody } from './mcp-request.ts'
import { type Era, eraOf, forwardedMeta, wantsLog } from './mcp-revision.ts'
import { refuse, refuseStrangers } from './refuse.ts'
import type { OpenToolbelt, Toolbelts } from './toolbelts.ts'

/** Who calls, as found by its token. */
interface CallingAgent {
  readonly accountId: string
  readonly agentId: string
}

export interface GatewayDeps {
  readonly toolbelts: Pick<Toolbelts, 'of'>
  readonly makeCall: MakeCall
  /** Whose token this is; `undefined` for nobody's. */
  readonly findAgent: (secret: string) => Promise<CallingAgent | undefined>
  readonly own: OwnNames
  readonly version: string
  readonly log: Log
  /** How long a call may take. */
  readonly timeoutMs?: number
}

/** Where agents connect. */
export const MCP_PATH = '/mcp'
const TIMEOUT_MS = 300_000

/** One request on its way through. */
interface Exchange {
  readonly message: JsonRpcRequest
  readonly era: Era
  readonly open: OpenToolbelt
  /** Tells clients of one agent apart, as well as it can be told without sessions. */
  readonly client: string
  readonly response: ServerResponse
  readonly answer: McpAnswer
  /** Does the client take an event stream? */
  readonly streams: boolean
}

/**
 * One MCP endpoint for every agent: authenticate ▸ parse ▸ resolve ▸ authorise ▸ call ▸ record ▸ answer.
 * It keeps nothing between requests; a session id is given to clients of older revisions, which need one to take calls back.
 * @returns A listener that says whether the request was for it.
 */
export function createGateway(deps: GatewayDeps): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { toolbelts, makeCall, findAgent, own, version, log, timeoutMs = TIMEOUT_MS } = deps
  const underWay = createCallsUnderWay()

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    refuseStrangers(request, own)
    const agent = await authenticate(request)
    if (request.method !== 'POST') throw new McpRefusal(405, CODE.invalidRequest, 'Only POST is served here')
    const parsed = parseStrictly(await readBody(request))
    const era = eraOf(request.headers, parsed)
    const client = JSON.stringify([agent.agentId, request.headers['mcp-session-id'] ?? ''])
    if (parsed.kind === 'notification') takeBack(client, parsed.message)
    if (parsed.kind !== 'request') return void response.writeHead(202).end()

    const open = await toolbelts.of(agent.accountId, agent.agentId)
    if (!open) throw new McpRefusal(401, CODE.invalidRequest, 'The agent is no more')
    const streams = request.headers.accept?.includes('text/event-stream') ?? false
    const answer = answerTo(response, parsed.message.id, { streams })
    await handle({ message: parsed.message, era, open, client, response, answer, streams })
  }

  async function authenticate({ headers }: IncomingMessage): Promise<CallingAgent> {
    const { authorization } = headers
    if (authorization === undefined)
      throw new McpRefusal(401, CODE.invalidRequest, 'Send the token of an agent as a bearer token')
    const secret = /^Bearer ([\w.~+/=-]{1,256})$/i.exec(authorization)?.[1]
    const agent = secret === undefined ? undefined : await findAgent(secret)
    if (!agent) throw new McpRefusal(401, CODE.invalidRequest, 'The token is unknown, expired or revoked')
    return agent
  }

  function takeBack(client: string, { method, params }: JsonRpcNotification): void {
    if (method === 'notifications/cancelled') underWay.cancel(client, params?.['requestId'])
  }

  function handle(exchange: Exchange): Promise<void> | void {
    const { message, era, open, answer, response } = exchange
    const reply = (given: Reply) => answer.end(era === 'modern' ? withIdentity(given, version) : given)
    if (message.method === 'tools/list') return reply(listPage(open.listed, message))
    if (message.method === 'tools/call') return callTool(exchange)
    if (era === 'modern' && message.method === 'server/discover') return reply(discovered(version))
    if (era === 'legacy' && message.method === 'ping') return answer.end({ result: {} })
    if (era === 'legacy' && message.method === 'initialize') {
      response.setHeader('mcp-session-id', randomUUID())
      return answer.end(initialized(message, version))
    }
    const error = { code: CODE.methodNotFound, message: `${message.method.slice(0, 100)} is not offered here` }
    answer.end({ error }, era === 'modern' ? 404 : 200)
  }

  async function callTool({ message, era, open, client, response, answer, streams }: Exchange): Promise<void> {
    const { name, arguments: given = {} } = message.params ?? {}
    if (typeof name !== 'string' || !isObject(given))
      return answer.end({ error: { code: CODE.invalidParams, message: 'tools/call takes a name and arguments' } })
    if (response.destroyed) return // the client left while its toolbelt was read
    const gone = new AbortController()
    response.once('close', () => gone.abort(new Error('the client went away')))
    const ended = underWay.add(client, message.id, () => gone.abort(new Error('the client took the call back')))

    const heard = new Set(wantsLog(era, message) ? [PROGRESS, LOGGED] : [PROGRESS])
    const onNotification = (notification: JsonRpcNotification) => {
      if (heard.has(notification.method)) answer.notify(notification)
    }
    const entry = open.resolve(name)
    try {
      const made = await makeCall({
        toolbelt: open.toolbelt,
        item: entry?.item,
        capability: entry?.capability ?? name,
        arguments: given,
        meta: forwardedMeta(message),
        id: message.id,
        timeoutMs,
        signal: gone.signal,
        ...(streams ? { onNotification } : {}),
      })
      if (era === 'legacy') answer.endAsWritten(made.written)
      else answer.end(withIdentity(made.answer, version))
    } catch (error) {
      if (!(error instanceof ProblemError) && !gone.signal.aborted) log.error({ err: error }, 'call failed')
      answer.end(errorOf(error, name, gone.signal))
    } finally {
      ended()
    }
  }

  return (request, response) => {
    if (request.url !== MCP_PATH && !request.url?.startsWith(`${MCP_PATH}?`)) return false
    serve(request, response).catch((error: unknown) => {
      if (!(error instanceof McpRefusal) && !request.destroyed) log.error({ err: error }, 'gateway request failed')
      refuse(request, response, error)
    })
    return true
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
