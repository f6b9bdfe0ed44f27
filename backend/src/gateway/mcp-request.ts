import type { IncomingMessage } from 'node:http'
import { CODE, type JsonRpcMessage, messageOf } from '@agentopia/dtma/contract'
import { McpRefusal } from './mcp-refusal.ts'
import { readAll } from './read-all.ts'
import { parseStrictJson } from './strict-json.ts'

/** Largest request that is read, in bytes. */
const MOST_BYTES = 4 << 20

/** The body of a POST, whole and bounded. @throws {McpRefusal} */
export async function readBody(request: IncomingMessage, mostBytes: number = MOST_BYTES): Promise<Buffer> {
  const tooLarge = () => new McpRefusal(413, CODE.invalidRequest, `A message has at most ${mostBytes} bytes`)
  const { 'content-type': type = '', 'content-encoding': encoding, 'content-length': length } = request.headers
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type))
    throw new McpRefusal(415, CODE.invalidRequest, 'The content type must be application/json')
  if (encoding !== undefined) throw new McpRefusal(415, CODE.invalidRequest, 'The body must not be compressed')
  if (Number(length ?? 0) > mostBytes) throw tooLarge()
  return readAll(request, mostBytes, tooLarge)
}

/**
 * One JSON-RPC message, read strictly: whatever two parsers could read differently is refused, not repaired.
 * What goes on is written anew from what was understood here, never the bytes that came.
 * @throws {McpRefusal}
 */
export function parseStrictly(body: Buffer): JsonRpcMessage {
  const value = parse(body)
  if (Array.isArray(value)) throw new McpRefusal(400, CODE.invalidRequest, 'Batches are not part of MCP')
  const stranger = keysOf(value).find((key) => !MEMBERS.has(key))
  if (stranger !== undefined) throw notAMember('message', stranger)
  const message = messageOf(value)
  if (!message) throw new McpRefusal(400, CODE.invalidRequest, 'The body is not one JSON-RPC 2.0 message')
  const params = message.kind === 'answer' ? undefined : message.message.params
  const disguised = keysOf(params).find((key) => !PARAMS.has(key) && LOWER.has(key.toLowerCase()))
  if (disguised !== undefined) throw notAMember('request', disguised)
  return message
}

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
/** Parameters that decide something; the same in other letters could mean them to a parser that does not mind. */
const PARAMS: ReadonlySet<string> = new Set([
  'name',
  'uri',
  'arguments',
  'argument',
  'ref',
  '_meta',
  'cursor',
  'level',
  'notifications',
  'inputResponses',
  'requestState',
])
const LOWER: ReadonlySet<string> = new Set([...PARAMS].map((name) => name.toLowerCase()))

const keysOf = (value: unknown): string[] => Object.keys(Object(value))

const notAMember = (what: string, key: string) =>
  new McpRefusal(400, CODE.invalidRequest, `A ${what} has no member ${JSON.stringify(key.slice(0, 40))}`)

function parse(body: Buffer): unknown {
  try {
    return parseStrictJson(body)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // What JSON.parse says repeats the text; it may hold secrets and goes nowhere but back.
    throw new McpRefusal(400, CODE.parseError, `The body is not strict JSON: ${error.message.slice(0, 200)}`)
  }
}
