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
  /** Shakes hands with a server that runs already. */
  connect(name: string, url: string): Promise<McpInfo>
  onChange(listener: (name: string, info: McpInfo) => void): void
}

const startFixture = (transport: Transport, speaks: Speaks): ChildProcess =>
  spawn(process.execPath, [FIXTURE, transport, speaks], { stdio: ['pipe', 'pipe', 'inherit'] })

/** Of a fixture over HTTP, which says its port first. */
async function addressOf(child: ChildProcess): Promise<string> {
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return `http://127.0.0.1:${Number(line)}/mcp`
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** A fixture by itself, over HTTP and in both eras: nothing of ours is in the way. */
export async function openFixture(): Promise<AsyncDisposable & { readonly url: string }> {
  const child = startFixture('http', 'both')
  return { url: await addressOf(child), [Symbol.asyncDispose]: () => ended(child) }
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
    const child = startFixture(transport, speaks)
    children.push(child)
    const common = { name, containerId: name, adopted: false }
    if (transport === 'stdio') {
      const channel = { stdin: child.stdin!, stdout: child.stdout!, close: () => void child.kill() }
      return { ...common, transport, channel }
    }
    return { ...common, transport, url: await addressOf(child) }
  }

  return {
    road: roadTo(port),
    async open(name, transport, speaks) {
      return bridge.open(await targetOf(name, transport, speaks), AbortSignal.timeout(OPEN_MS))
    },
    connect: (name, url) =>
      bridge.open({ name, containerId: name, adopted: false, transport: 'http', url }, AbortSignal.timeout(OPEN_MS)),
    onChange: (listener) => bridge.onChange((name, info) => info && listener(name, info)),
    async [Symbol.asyncDispose]() {
      for (const child of children) await ended(child)
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
