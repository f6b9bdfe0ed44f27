// Started by hop.ts: a DTMA without a machine (member.ts), whose tools answer at once and do nothing; the same answers by plain HTTP.
import { createServer } from 'node:http'
import {
  type Capability,
  deleteTool,
  getCapabilities,
  getHealth,
  getStatus,
  getTool,
  type JsonRpcRequest,
  LANE_PATH,
  mcpPathOf,
  putTool,
  type ToolRequest,
  type ToolStatus,
} from '@agentopia/dtma/contract'
import {
  type App,
  type HttpReply,
  type HttpRequest,
  listenerOf,
  serveLane,
  DTMA_VERSION as version,
} from '@agentopia/dtma/testing'
import { enlist, type Member, type Quarters, SILENT, statusOf } from './member.ts'
import { MCP_VERSION } from './server.ts'

/** What the parent sends. */
export interface Hollow {
  readonly quarters: Quarters
  readonly member: Member
  /** Of 127.0.0.1, where the same answers are had without a tunnel. */
  readonly port: number
}

const SERVER_INFO = { name: 'hollow', version: '1' }
const ECHO: Capability = {
  name: 'echo',
  description: 'Says what it is told',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
  digest: 'echo-1',
}
const SINCE = new Date().toISOString()

const json = (value: unknown, status = 200): HttpReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

/** What a server that has nothing to do answers. */
function answerOf({ id, method, params }: JsonRpcRequest): HttpReply {
  if (id === undefined) return { status: 202, headers: {} }
  const said = (params?.['arguments'] as { message?: string } | undefined)?.message
  const capabilities = { tools: {} }
  const result =
    method === 'initialize'
      ? { protocolVersion: MCP_VERSION, capabilities, serverInfo: SERVER_INFO }
      : method === 'tools/call'
        ? { content: [{ type: 'text', text: `Echo: ${said}` }] }
        : {}
  return json({ jsonrpc: '2.0', id, result })
}

async function read<Body>({ body }: HttpRequest): Promise<Body> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString()) as Body
}

/** Answers every path alike. */
const mcpAlone: App = async (request) =>
  request.method === 'POST' ? answerOf(await read(request)) : { status: 405, headers: { allow: 'POST' } }

function dtmaOf({ toolboxId }: Member) {
  const tools = new Map<string, ToolRequest>()
  const toolOf = (name: string): ToolStatus => {
    const { generation, desired } = tools.get(name)!
    const mcp = { protocolVersion: MCP_VERSION, server: SERVER_INFO, capabilityDigest: ECHO.digest, capabilityCount: 1 }
    const state = desired === 'running' ? 'running' : 'exited'
    return { name, generation, desired, state, since: SINCE, restarts: 0, mcp }
  }
  const all = () => [...tools.keys()].map(toolOf)

  const app: App = async (request) => {
    const path = request.url.split('?')[0]!
    if (path === LANE_PATH) return serveLane(app, request)
    if (path === getHealth.path) return json({ status: 'ok', version })
    if (path === getStatus.path) return json(statusOf(toolboxId, all()))
    const name = path.split('/')[2] ?? ''
    if (path === mcpPathOf(name)) return mcpAlone(request)
    if (path === getCapabilities.path.replace(':name', name)) return json({ digest: ECHO.digest, capabilities: [ECHO] })
    if (path !== getTool.path.replace(':name', name)) return json({}, 404)
    if (request.method === putTool.method) tools.set(name, await read<ToolRequest>(request))
    if (request.method === deleteTool.method) tools.delete(name)
    if (tools.has(name)) return json(toolOf(name), request.method === putTool.method ? putTool.status : 200)
    return request.method === deleteTool.method ? { status: 204, headers: {} } : json({}, 404)
  }
  return { app, all }
}

process.on('message', ({ quarters, member, port }: Hollow) => {
  createServer(listenerOf(mcpAlone, SILENT)).listen(port, '127.0.0.1')
  const { app, all } = dtmaOf(member)
  enlist(quarters, member, listenerOf(app, SILENT), all)
})
