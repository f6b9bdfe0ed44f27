import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addToolbeltItem, createAgent, createAgentToken, grantToolboxAccess, updateAgent } from '@agentopia/api'
import { activeToolbox, deploy, dtmaContainerOf, freePort, type Product, pidOf, waitFor } from '@agentopia/e2e/product'
import type { Endpoint } from './load.ts'
import { ended, type Run } from './run.ts'
import { SERVER } from './server.ts'

export interface Target {
  readonly name: string
  /** Connected to the server over. */
  readonly upstream: 'stdio' | 'HTTP' | 'none'
  readonly endpoint: Endpoint
  /** Processes of the hop itself, by name; the server's own are not among them. */
  readonly hop: Readonly<Record<string, number>>
}

const PEERS = ['mcp-proxy@6.7.19', 'supergateway@4.0.0', 'mcp-hub@4.2.1']
const READY_MS = 60_000

/** Starts a program of Node that listens on this port, and goes with the run. @returns Its process, once it answers. */
async function startServer(
  bench: Run,
  args: readonly string[],
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'ignore' })
  bench.cleanUp(() => ended(child))
  await waitFor(`${args[0]} does not listen`, READY_MS, () => {
    bench.signal.throwIfAborted()
    return fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => undefined,
    )
  })
  return child.pid!
}

/** The least that one more hop by HTTP can cost, before this target. */
export async function pipeTo(bench: Run, to: Target): Promise<Target> {
  const port = await freePort()
  const program = fileURLToPath(new URL('./pipe.ts', import.meta.url))
  const pid = await startServer(bench, [program, String(port), new URL(to.endpoint.url).port], port)
  return {
    name: 'bare HTTP pipe',
    upstream: 'HTTP',
    endpoint: { url: `http://127.0.0.1:${port}/mcp`, echo: 'echo' },
    hop: { pipe: pid },
  }
}

/** Programs that others made, installed into a folder of this run. */
export async function openPeers(bench: Run) {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-bench-'))
  bench.cleanUp(() => rmSync(folder, { recursive: true }))
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `${SERVER.name}@${SERVER.version}`,
    ...PEERS,
  ]
  await promisify(execFile)('npm', args, { maxBuffer: 1 << 24 })
  const modules = join(folder, 'node_modules')
  const server = join(modules, SERVER.name, 'dist/index.js')

  const start = (args: readonly string[], port: number, env?: Record<string, string>) =>
    startServer(bench, args, port, env)

  async function direct(): Promise<Target> {
    const port = await freePort()
    await start([server, 'streamableHttp'], port, { PORT: String(port) })
    return {
      name: 'the server itself',
      upstream: 'none',
      endpoint: { url: `http://127.0.0.1:${port}/mcp`, echo: 'echo' },
      hop: {},
    }
  }

  async function stdioPipe(): Promise<Target> {
    const port = await freePort()
    const program = fileURLToPath(new URL('./stdio-pipe.ts', import.meta.url))
    const pid = await start([program, String(port), server], port)
    return {
      name: 'bare stdio pipe',
      upstream: 'stdio',
      endpoint: { url: `http://127.0.0.1:${port}/mcp`, echo: 'echo' },
      hop: { pipe: pid },
    }
  }

  /** Its endpoint for agents speaks the transport before streamable HTTP alone: github.com/ravitemer/mcp-hub/issues/126. */
  async function hub(): Promise<Target> {
    const config = join(folder, 'hub.json')
    const mcpServers = { everything: { command: process.execPath, args: [server, 'stdio'] } }
    writeFileSync(config, JSON.stringify({ mcpServers }))
    const { name, endpoint, ...target } = await peer('mcp-hub', (port) => ['--port', String(port), '--config', config])
    const { origin } = new URL(endpoint.url)
    await waitFor(`${name} has not started its server`, READY_MS, async () => {
      bench.signal.throwIfAborted()
      return (await (await fetch(`${origin}/api/health`)).text()).includes('"status":"connected"') ? true : undefined
    })
    return { ...target, name, endpoint: { url: endpoint.url, transport: 'sse', echo: 'everything__echo' } }
  }

  async function peer(name: string, argsOf: (port: number) => readonly string[]): Promise<Target> {
    const port = await freePort()
    const { bin } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as {
      bin: Record<string, string>
    }
    const pid = await start([join(modules, name, bin[name]!), ...argsOf(port)], port)
    return {
      name,
      upstream: 'stdio',
      endpoint: { url: `http://127.0.0.1:${port}/mcp`, echo: 'echo' },
      hop: { [name]: pid },
    }
  }

  return {
    direct,
    stdioPipe,
    hub,
    bridges: async () => [
      await peer('mcp-proxy', (port) => [
        '--port',
        String(port),
        '--server',
        'stream',
        '--',
        process.execPath,
        server,
        'stdio',
      ]),
      await peer('supergateway', (port) => [
        '--stdio',
        `${process.execPath} ${server} stdio`,
        '--outputTransport',
        'streamableHttp',
        '--stateful',
        '--logLevel',
        'none',
        '--port',
        String(port),
      ]),
    ],
  }
}

/** An agent that may call `echo` of these tools of one toolbox, at whatever pace. Each is deployed, and runs. */
export async function agentOf(
  { client }: Product,
  toolboxId: string,
  tools: Readonly<Record<string, string>>,
): Promise<Omit<Endpoint, 'echo'>> {
  const { id: agentId } = await client.call(createAgent, { body: { name: 'bench' } })
  await client.call(updateAgent, { params: { agentId }, body: { limits: { perMinute: null } } })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId } })
  for (const [name, toolId] of Object.entries(tools)) {
    const { id: instanceId } = await deploy(client, toolboxId, toolId, name)
    await client.call(addToolbeltItem, { params: { agentId }, body: { instanceId, allow: ['echo'] } })
  }
  const { secret, mcpUrl } = await client.call(createAgentToken, { params: { agentId }, body: { name: 'bench' } })
  return { url: mcpUrl, headers: { authorization: `Bearer ${secret}` } }
}

/** The same server in containers of the local toolbox, by the endpoint of an agent: everything between is measured. */
export async function wholeWay(product: Product): Promise<Target[]> {
  const { id } = await activeToolbox(product.client)
  const agent = await agentOf(product, id, { stdio: 'everything', http: 'everything-http' })
  const hop = { 'control plane': product.pid, DTMA: await pidOf(dtmaContainerOf(id)) }
  return [
    { name: 'Agentopia, whole way', upstream: 'stdio', endpoint: { ...agent, echo: 'stdio__echo' }, hop },
    { name: 'Agentopia, whole way', upstream: 'HTTP', endpoint: { ...agent, echo: 'http__echo' }, hop },
  ]
}
