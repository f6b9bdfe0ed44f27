import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ToolTarget } from '../tools/tool-sessions.ts'
import { echoTool } from './fake-server.testing.ts'

type Message = Record<string, unknown> & { id?: number; method?: string; params?: Record<string, unknown> }

/** How an HTTP server in a container behaves; whatever is left out is done properly. */
export interface HttpBehaviour {
  readonly port?: number
  readonly tools?: () => readonly Record<string, unknown>[]
  /** Reacts to `tools/call`. */
  readonly onCall?: (message: Message, response: ServerResponse) => unknown
  /** Sees every POST first. @returns True when it has answered. */
  readonly onPost?: (message: Message, request: IncomingMessage, response: ServerResponse) => boolean
  /** Serves the standing stream; without it GET is 405. */
  readonly onGet?: (request: IncomingMessage, response: ServerResponse) => unknown
}

export interface FakeHttpServer {
  readonly target: ToolTarget
  readonly port: number
  readonly heard: Message[]
  /** Forgets every session, as a server does that was restarted. */
  forget(): void
  close(): Promise<void>
}

/** An MCP server with sessions, on a port of this machine. */
export async function fakeHttpServer(behaviour: HttpBehaviour = {}): Promise<FakeHttpServer> {
  const { tools = () => [echoTool], onCall, onPost, onGet } = behaviour
  const heard: Message[] = []
  const sessions = new Set<string>()
  let count = 0
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error))
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') return void (onGet ? onGet(request, response) : response.writeHead(405).end())
    let text = ''
    for await (const chunk of request) text += chunk
    const message = JSON.parse(text) as Message
    heard.push(message)
    if (onPost?.(message, request, response)) return
    if (message.method === 'initialize') {
      count += 1
      const id = `session-${count}`
      sessions.add(id)
      response.setHeader('mcp-session-id', id)
      const { protocolVersion } = message.params as { protocolVersion: string }
      const serverInfo = { name: 'fake', version: '1.0.0' }
      return json(response, message, { protocolVersion, capabilities: { tools: {} }, serverInfo })
    }
    if (!sessions.has(String(request.headers['mcp-session-id']))) return void response.writeHead(404).end('no session')
    if (message.id === undefined) return void response.writeHead(202).end()
    if (message.method === 'tools/list') return json(response, message, { tools: tools() })
    if (message.method === 'tools/call' && onCall) return void onCall(message, response)
    json(response, message, { content: [] })
  }

  await new Promise<void>((resolve) => server.listen(behaviour.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    target: targetAt(port),
    port,
    heard,
    forget: () => sessions.clear(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const targetAt = (port: number): ToolTarget => ({
  name: 'tool',
  containerId: 'c',
  adopted: false,
  transport: 'http',
  url: `http://127.0.0.1:${port}/mcp`,
})

export function json(response: ServerResponse, { id }: Message, result: object): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

/** Server-sent events, each a JSON-RPC message. */
export function events(response: ServerResponse, ...messages: object[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const message of messages) response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}
