import { PassThrough, type Writable } from 'node:stream'
import type { ToolChannel, ToolTarget } from '../tools/tool-sessions.ts'
import { createLineReader } from './lines.ts'

type Message = Record<string, unknown> & { id?: number; method?: string; params?: Record<string, unknown> }

/** How a server in a container behaves; whatever is left out is done properly. */
export interface Behaviour {
  readonly tools?: () => readonly Record<string, unknown>[]
  /** Reacts to `tools/call`; write lines with `say`. */
  readonly onCall?: (message: Message, server: FakeServer) => unknown
  readonly onInitialize?: (message: Message, server: FakeServer) => unknown
}

export interface FakeServer {
  readonly channel: ToolChannel
  readonly heard: Message[]
  say(message: object): void
  /** Bytes as they are. */
  write(text: string | Buffer): void
  /** The container exits. */
  exit(): void
}

export const echoTool = { name: 'echo', description: 'Echoes', inputSchema: { type: 'object' } }

/** The other end of a container's standard streams, in this process. */
export function fakeServer({ tools = () => [echoTool], onCall, onInitialize }: Behaviour = {}): FakeServer {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const heard: Message[] = []
  const server: FakeServer = {
    channel: { stdin: stdin as Writable, stdout, close: () => void stdout.destroy() },
    heard,
    say: (message) => void stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    write: (text) => void stdout.write(text),
    exit: () => void stdout.end(),
  }
  const react: Record<string, (message: Message) => unknown> = {
    initialize(message) {
      if (onInitialize) return onInitialize(message, server)
      const capabilities = { tools: { listChanged: true } }
      const { id, params } = message
      server.say({
        id,
        result: {
          protocolVersion: params?.['protocolVersion'],
          capabilities,
          serverInfo: { name: 'fake', version: '1.0.0' },
        },
      })
    },
    'tools/list': ({ id }) => server.say({ id, result: { tools: tools() } }),
    ping: ({ id }) => server.say({ id, result: {} }),
    'tools/call'(message) {
      if (onCall) return onCall(message, server)
      const { text } = message.params!['arguments'] as { text: string }
      server.say({ id: message.id, result: { content: [{ type: 'text', text }] } })
    },
  }
  stdin.on(
    'data',
    createLineReader(
      1 << 20,
      (line) => {
        const message = JSON.parse(line) as Message
        heard.push(message)
        const known = react[message.method ?? '']
        if (known) known(message)
        else if (message.id !== undefined && message.method !== undefined)
          server.say({ id: message.id, error: { code: -32_601, message: 'Method not found' } })
      },
      () => {},
    ),
  )
  return server
}

export const targetOf = (server: FakeServer, name = 'tool'): ToolTarget => ({
  name,
  containerId: 'c',
  adopted: false,
  transport: 'stdio',
  channel: server.channel,
})
