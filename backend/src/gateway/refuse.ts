import type { IncomingMessage, ServerResponse } from 'node:http'
import { ProblemError } from '@agentopia/api'
import { CODE } from '@agentopia/dtma/contract'
import type { OwnNames } from '../http/same-site.ts'
import { sendJson } from './mcp-answer.ts'
import { McpRefusal } from './mcp-refusal.ts'

/**
 * A page of a stranger in a browser reaches loopback under a name that is not ours (DNS rebinding). Tokens do not belong in
 * addresses, where logs keep them.
 * @throws {McpRefusal}
 */
export function refuseStrangers({ headers, url }: IncomingMessage, own: OwnNames): void {
  const { host, origin } = headers
  if (host === undefined || !own.hosts.has(host.toLowerCase()))
    throw new McpRefusal(403, CODE.invalidRequest, 'The gateway is not known under that host')
  if (origin !== undefined && !own.origins.has(origin.toLowerCase()))
    throw new McpRefusal(403, CODE.invalidRequest, 'A page of another site sent this request')
  if (url?.includes('?'))
    throw new McpRefusal(400, CODE.invalidRequest, 'The endpoint takes no query; tokens go in the Authorization header')
}

/** How long a client may go on sending what is not read, so that it hears the answer first. */
const DRAIN_MS = 1_000

/** What an endpoint tells who comes the wrong way. */
export interface Door {
  /** Methods that it serves. */
  readonly allow: string
  /** For `WWW-Authenticate`: where a client without a token learns how to get one; absent: from a person. */
  readonly challenge?: string
}

/** Answers a request that is not served, and ends the connection when its body was not read to the end. */
export function refuse(request: IncomingMessage, response: ServerResponse, error: unknown, door: Door): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const { status, code, message, id, data } = asRefusal(error)
  const body = { jsonrpc: '2.0', id, error: { code, message, ...(data ? { data } : {}) } }
  sendJson(response, status, body, {
    ...headersOf(status, request, door),
    ...(request.complete ? {} : { connection: 'close' }),
  })
  if (request.complete) return
  request.resume()
  const cut = setTimeout(() => request.destroy(), DRAIN_MS)
  request.once('close', () => clearTimeout(cut))
}

function asRefusal(error: unknown): McpRefusal {
  if (error instanceof McpRefusal) return error
  const status = error instanceof ProblemError ? error.kind.status : 500
  return new McpRefusal(status, CODE.internal, 'The gateway cannot answer now')
}

function headersOf(status: number, { headers }: IncomingMessage, { allow, challenge }: Door): Record<string, string> {
  if (status === 405) return { allow }
  if (status === 503) return { 'retry-after': '1' }
  if (status !== 401) return {}
  const wrong = headers.authorization === undefined ? [] : ['error="invalid_token"']
  const words = ['realm="agentopia"', ...wrong, ...(challenge === undefined ? [] : [challenge])]
  return { 'www-authenticate': `Bearer ${words.join(', ')}` }
}
