import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ToolTarget } from '../tools/tool-sessions.ts'
import { events } from './fake-http-server.testing.ts'
import { echoTool } from './fake-server.testing.ts'

type Message = Record<string, unknown> & { id?: number; method?: string; params?: Record<string, unknown> }

/** How a server of the transport before streamable HTTP behaves; whatever is left out is done properly. */
export interface SseBehaviour {
  readonly port?: number
  readonly tools?: () => readonly Record<string, unknown>[]
  /** What a POST to the URL of the stream gets; 405 unless it is given. */
  readonly refusal?: number
  /** Sees every stream first. @returns True when it has begun it. */
  readonly onStream?: (response: ServerResponse, server: FakeSseServer) => boolean
  /** Sees every message first. @returns True when it has answered the POST. */
  readonly onPost?: (message: Message, response: ServerResponse, server: FakeSseServer) => boolean
  /** Reacts to `tools/call`, which is accepted already; answer with `say`. */
  readonly onCall?: (message: Message, server: FakeSseServer) => unknown
}

export interface FakeSseServer {
  readonly target: ToolTarget
  readonly port: number
  /** Method and path of every request, in order. */
  readonly asked: string[]
  readonly heard: Message[]
  /** Headers of the last message. */
  readonly headers: IncomingMessage['headers']
  /** Those that are open, the newest last. */
  readonly streams: ServerResponse[]
  /** On the newest stream. */
  say(...messages: object[]): void
  /** Ends every stream. */
  hangUp(): void
  close(): Promise<void>
}

export const ENDPOINT = '/message?session='

/** An MCP server of the protocol's first revision, on a port of this machine. */
export async function fakeSseServer(behaviour: SseBehaviour = {}): Promise<FakeSseServer> {
  const { tools = () => [echoTool], refusal = 405, onStream, onPost, onCall } = behaviour
  const sessions = new Map<string, ServerResponse>()
  let headers: IncomingMessage['headers'] = {}
  let count = 0
  const web = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error))
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    server.asked.push(`${request.method} ${request.url}`)
    if (request.method === 'GET' && request.url === '/sse') return begin(response)
    let text = ''
    for await (const chunk of request) text += chunk
    const stream = sessions.get(request.url ?? '')
    if (!stream) return void response.writeHead(request.url === '/sse' ? refusal : 404).end('no')
    const message = JSON.parse(text) as Message
    headers = request.headers
    server.heard.push(message)
    if (onPost?.(message, response, server)) return
    response.writeHead(202).end('Accepted')
    const result = resultOf(message)
    if (result) events(stream, { id: message.id, result })
  }

  function begin(response: ServerResponse): void {
    count += 1
    const path = `${ENDPOINT}${count}`
    sessions.set(path, response)
    server.streams.push(response)
    response.once('close', () => {
      sessions.delete(path)
      server.streams.splice(server.streams.indexOf(response), 1)
    })
    if (onStream?.(response, server)) return
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${path}\n\n`)
  }

  function resultOf(message: Message): object | undefined {
    if (message.method === 'tools/call' && onCall) return void onCall(message, server)
    if (message.method === 'tools/list') return { tools: tools() }
    if (message.method === 'tools/call') return { content: [message.params!['arguments']] }
    if (message.method !== 'initialize') return message.id === undefined || !message.method ? undefined : {}
    const serverInfo = { name: 'fake', version: '1.0.0' }
    return { protocolVersion: '2024-11-05', capabilities: { tools: { listChanged: true } }, serverInfo }
  }

  await new Promise<void>((resolve) => web.listen(behaviour.port ?? 0, '127.0.0.1', resolve))
  const { port } = web.address() as AddressInfo
  const server: FakeSseServer = {
    target: sseTargetAt(port),
    port,
    asked: [],
    heard: [],
    get headers() {
      return headers
    },
    streams: [],
    say: (...messages) => events(server.streams.at(-1)!, ...messages),
    hangUp() {
      for (const stream of [...server.streams]) stream.end()
    },
    close: () =>
      new Promise((resolve) => {
        web.close(() => resolve())
        web.closeAllConnections()
      }),
  }
  return server
}

export const sseTargetAt = (port: number): ToolTarget => ({
  name: 'tool',
  containerId: 'c',
  adopted: false,
  transport: 'http',
  url: `http://127.0.0.1:${port}/sse`,
})
