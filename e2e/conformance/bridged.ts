import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Road, RoadAnswer } from '@agentopia/backend/testing'
import { createMcpBridge, createMcpEndpoint, listenerOf, type McpInfo, type ToolTarget } from '@agentopia/dtma/testing'

export type Transport = 'stdio' | 'http'
/** `both`: it speaks the modern revision and the earlier ones. */
export type Speaks = 'both' | 'legacy' | 'modern'

const FIXTURE = fileURLToPath(new URL('./fixture.server.ts', import.meta.url))
const OPEN_MS = 30_000

/** DTMA's own bridge with fixtures behind it, as processes instead of containers; served over a socket. */
export interface Bridged extends AsyncDisposable {
  readonly road: Road
  /** Starts a fixture and shakes hands with it. */
  open(name: string, transport: Transport, speaks: Speaks): Promise<McpInfo>
  onChange(listener: (name: string, info: McpInfo) => void): void
}

export async function openBridged(): Promise<Bridged> {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  const endpoint = createMcpEndpoint(bridge)
  const children: ChildProcess[] = []
  const server = createServer(
    listenerOf(
      (request) =>
        endpoint(decodeURIComponent(request.url.split('/')[2]!), request).catch((error: Error) => ({
          status: 500,
          headers: {},
          body: error.message,
        })),
      { debug: () => {} },
    ),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  async function targetOf(name: string, transport: Transport, speaks: Speaks): Promise<ToolTarget> {
    const child = spawn(process.execPath, [FIXTURE, transport, speaks], { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    const common = { name, containerId: name, adopted: false }
    if (transport === 'stdio') {
      const channel = { stdin: child.stdin!, stdout: child.stdout!, close: () => void child.kill() }
      return { ...common, transport, channel }
    }
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    return { ...common, transport, url: `http://127.0.0.1:${Number(line)}/mcp` }
  }

  return {
    road: roadTo(port),
    async open(name, transport, speaks) {
      return bridge.open(await targetOf(name, transport, speaks), AbortSignal.timeout(OPEN_MS))
    },
    onChange: (listener) => bridge.onChange((name, info) => info && listener(name, info)),
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        child.kill()
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** To a DTMA on a port of this machine. @param key Its key, where it wants one. */
export const roadTo =
  (port: number, key?: string): Road =>
  (_, { method, path, headers, body, signal }) =>
    new Promise<RoadAnswer>((resolve, reject) => {
      const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
      send({ host: '127.0.0.1', port, method, path, headers: { ...headers, ...authorization }, signal })
        .on('response', (answer) => resolve({ status: answer.statusCode!, headers: answer.headers, body: answer }))
        .on('error', reject)
        .end(body)
    })
