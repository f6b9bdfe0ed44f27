import { PassThrough } from 'node:stream'
import {
  type JsonRpcAnswer,
  type JsonRpcId,
  type JsonRpcNotification,
  type JsonRpcRequest,
  parseMessage,
} from '../contract/json-rpc.ts'
import { clientOf, forwardedMeta } from '../contract/mcp.ts'
import { problem } from '../contract/problems.ts'
import { EMPTY, type HttpReply, type HttpRequest, jsonReply } from '../http/exchange.ts'
import type { McpEndpoint } from '../tools/tool-sessions.ts'
import { withDeadline } from './deadline.ts'
import { negotiated } from './session.ts'
import { asProblem, type McpBridge } from './tool-sessions.ts'
import { MAX_MESSAGE_BYTES } from './upstream.ts'

/** Milliseconds that the caller waits at most; default one minute, at most one hour. */
const DEADLINE_HEADER = 'x-deadline-ms'
/** Tells callers apart, in words of whoever calls us; at most so many characters of it. */
const CALLER_HEADER = 'x-caller'
const CALLER_LENGTH = 200
const DEFAULT_DEADLINE_MS = 60_000
const LONGEST_DEADLINE_MS = 3_600_000

/**
 * MCP's streamable HTTP in, the tool's session out: every POST stands for itself, no session of ours is needed.
 * Failures of ours are problem documents; the server's own are JSON-RPC errors.
 */
export const createMcpEndpoint =
  (bridge: McpBridge): McpEndpoint =>
  async (name, request) => {
    if (request.method === 'DELETE') return { ...EMPTY, status: 200 }
    if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST, DELETE' } }
    const parsed = parseMessage(await textOf(request))
    if (!parsed) throw problem('invalid-request', 'The body is not one JSON-RPC 2.0 message')
    if (parsed.kind !== 'request') return { ...EMPTY, status: 202 }
    const { message } = parsed
    if (message.method === 'ping') return jsonAnswer(message.id, { result: {} })
    if (message.method === 'initialize')
      return jsonAnswer(message.id, { result: initializeResult(bridge, name, message) })
    return forward(bridge, name, message, request)
  }

function initializeResult(bridge: McpBridge, name: string, { params }: JsonRpcRequest): Record<string, unknown> {
  const { capabilities, serverInfo, instructions } = bridge.sessionOf(name).initialized
  return {
    protocolVersion: negotiated(params?.['protocolVersion']),
    capabilities,
    serverInfo,
    ...(instructions === undefined ? {} : { instructions }),
  }
}

/** Answers as JSON; as an event stream once the server has something to say before its answer, and the caller takes it. */
async function forward(
  bridge: McpBridge,
  name: string,
  { id, method, params }: JsonRpcRequest,
  request: HttpRequest,
): Promise<HttpReply> {
  const ms = deadlineOf(request)
  const gone = new AbortController()
  const listener = request.headers.accept?.includes('text/event-stream') ? createListener() : undefined
  const caller = [request.headers[CALLER_HEADER]].flat()[0]?.slice(0, CALLER_LENGTH)
  const limit = {
    ms,
    signal: request.signal,
    end: gone,
    tooLate: (cause: unknown) => problem('tool-timeout', `${method} did not end within ${ms} ms`, { cause }),
  }
  const answer = withDeadline(limit, (signal) =>
    bridge.sessionOf(name).request(
      {
        method,
        ...(params ? { params: withoutEnvelope(params) } : {}),
        signal,
        ...(caller ? { caller } : {}),
        ...(listener ? { onNotification: listener.hear } : {}),
      },
      clientOf(params),
    ),
  ).catch((error: unknown) => {
    throw asProblem(error)
  })
  if (!listener) return jsonAnswer(id, await answer)
  const first = await Promise.race([answer, listener.spoke])
  return first === 'spoke' ? listener.stream(id, answer, () => gone.abort()) : jsonAnswer(id, first)
}

function withoutEnvelope({ _meta, ...params }: NonNullable<JsonRpcRequest['params']>): Record<string, unknown> {
  const meta = forwardedMeta({ _meta })
  return meta ? { ...params, _meta: meta } : params
}

/** Gathers what the server says during a request until somebody streams it. */
function createListener() {
  const { promise: spoke, resolve } = Promise.withResolvers<'spoke'>()
  const said: JsonRpcNotification[] = []
  let write = (notification: JsonRpcNotification): void => {
    said.push(notification)
    resolve('spoke')
  }

  return {
    spoke,
    hear: (notification: JsonRpcNotification) => write(notification),
    stream(id: JsonRpcId, answer: Promise<JsonRpcAnswer>, onGone: () => void): HttpReply {
      const body = new PassThrough()
      const send = (message: object) => void body.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
      for (const notification of said) send(notification)
      write = (notification) => {
        if (body.writableLength < MOST_UNREAD_BYTES) send(notification)
      }
      body.once('close', () => {
        write = () => {}
        onGone()
      })
      void answer
        .catch((error: Error): JsonRpcAnswer => ({ error: { code: -32_000, message: error.message } }))
        .then((ended) => {
          if (body.destroyed) return // the caller has gone: nobody is left to be told
          send({ jsonrpc: '2.0', id, ...ended })
          body.end()
        })
      return {
        status: 200,
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
        body,
      }
    },
  }
}

/** Bytes of notifications that wait for a slow reader; more are left out, the answer never is. */
const MOST_UNREAD_BYTES = 1 << 20

const jsonAnswer = (id: JsonRpcId, answer: JsonRpcAnswer): HttpReply => jsonReply({ jsonrpc: '2.0', id, ...answer })

function deadlineOf({ headers }: HttpRequest): number {
  const asked = Number(headers[DEADLINE_HEADER] ?? DEFAULT_DEADLINE_MS)
  return Number.isFinite(asked) && asked > 0 ? Math.min(asked, LONGEST_DEADLINE_MS) : DEFAULT_DEADLINE_MS
}

/** @throws {ProblemError} `invalid-request`, or `payload-too-large` before the rest of it is read. */
async function textOf({ headers, body }: HttpRequest): Promise<string> {
  if (!headers['content-type']?.startsWith('application/json'))
    throw problem('invalid-request', 'The content type is not application/json')
  if (Number(headers['content-length'] ?? 0) > MAX_MESSAGE_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_MESSAGE_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const tooLarge = () => problem('payload-too-large', `A message has at most ${MAX_MESSAGE_BYTES} bytes`)
