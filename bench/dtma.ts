import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Client,
  createClient,
  deleteTool,
  getHealth,
  getTool,
  mcpPathOf,
  putTool,
  type ToolSpec,
} from '@agentopia/dtma/contract'
import { freePort, waitFor } from '@agentopia/e2e/product'
import { create, engine, inspect, remove, SOCKET, start } from './engine.ts'
import { ended, type Run } from './run.ts'
import { SERVER } from './server.ts'
import type { Target } from './targets.ts'

/** A DTMA that nobody but the benchmark speaks to. */
export interface Dtma {
  readonly url: string
  readonly client: Client
  readonly pid: number
}

export const BUNDLE = fileURLToPath(new URL('../dist/dtma.cjs', import.meta.url))
export const IMAGE = process.env['DTMA_IMAGE'] ?? 'agentopia-dtma:latest'
const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const KEY = 'a-key-for-the-benchmark'
/** As in its image, and in the unit of systemd, unless NODE_FLAGS says otherwise. */
const FLAGS = (process.env['NODE_FLAGS'] ?? '--optimize-for-size --max-semi-space-size=2').split(' ').filter(Boolean)
const READY_MS = 300_000

/** The bundle as a process, started as systemd does. Needs `npm run build`. */
export async function startDtma(bench: Run): Promise<Dtma> {
  const port = await freePort()
  const state = stateOf(bench)
  const child = spawn(process.execPath, [...FLAGS, BUNDLE], {
    env: {
      ...environmentOf(port),
      MALLOC_ARENA_MAX: '1',
      DTMA_STATE_DIR: state,
      DTMA_RUNNER_IMAGE: BASE,
      PATH: process.env['PATH'],
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  bench.cleanUp(() => ended(child))
  return reached(`http://127.0.0.1:${port}`, () => child.pid!)
}

/** The image, in a container with Docker's socket. */
export async function startDtmaContainer(bench: Run): Promise<Dtma> {
  const state = stateOf(bench)
  const Env = Object.entries({ ...environmentOf(30_000, '0.0.0.0'), DTMA_PLAIN_HTTP: 'on' }).map(
    ([name, value]) => `${name}=${value}`,
  )
  const Binds = [`${SOCKET}:${SOCKET}`, `${state}:/var/lib/dtma`]
  const id = await create({ Image: IMAGE, User: '0:0', Env, HostConfig: { Binds } })
  bench.cleanUp(() => remove(id))
  await start(id)
  const { State, NetworkSettings } = await inspect(id)
  return reached(`http://${NetworkSettings.IPAddress}:30000`, () => State.Pid)
}

const environmentOf = (port: number, host = '127.0.0.1') => ({
  BACKEND_TO_DTMA_API_KEY: KEY,
  HOST: host,
  PORT: String(port),
  LOG_LEVEL: 'error',
})

async function reached(url: string, pidOf: () => number): Promise<Dtma> {
  const client = createClient({ baseUrl: url, token: KEY })
  await waitFor('DTMA does not answer', READY_MS, () =>
    client.call(getHealth, {}).then(
      ({ status }) => (status === 'ok' ? true : undefined),
      () => undefined,
    ),
  )
  return { url, client, pid: pidOf() }
}

/** A new state directory. What its DTMA has made in Docker goes with it. */
function stateOf(bench: Run): string {
  const state = mkdtempSync(join(tmpdir(), 'agentopia-bench-dtma-'))
  bench.cleanUp(async () => {
    const owner = readFileSync(join(state, 'owner'), 'utf8').trim()
    const filters = encodeURIComponent(JSON.stringify({ label: [`dtma.owner=${owner}`] }))
    const containers = (await engine('GET', `/containers/json?all=true&filters=${filters}`)) as { Id: string }[]
    for (const { Id } of containers) await remove(Id)
    const networks = (await engine('GET', `/networks?filters=${filters}`)) as { Id: string }[]
    for (const { Id } of networks) await engine('DELETE', `/networks/${Id}`)
    rmSync(state, { recursive: true })
  })
  return state
}

/** The server in containers of this DTMA, by its MCP bridge. */
export async function bridgesOf(bench: Run, { url, client, pid }: Dtma): Promise<Target[]> {
  const common = { package: { type: 'npm', ...SERVER }, resources: { memoryMib: 512, cpus: 4, pids: 64 } } as const
  const specs: Readonly<Record<string, Pick<ToolSpec, 'transport' | 'args' | 'env'>>> = {
    stdio: { transport: { type: 'stdio' }, args: [], env: {} },
    http: {
      transport: { type: 'http', port: 3001, path: '/mcp' },
      args: ['streamableHttp'],
      env: { PORT: '3001' },
    },
  }
  for (const [name, spec] of Object.entries(specs)) {
    bench.cleanUp(() => client.call(deleteTool, { params: { name } }))
    await client.call(putTool, { params: { name }, body: { generation: 1, spec: { ...common, ...spec } } })
    await waitFor(`the tool ${name} is not running`, READY_MS, async () => {
      bench.signal.throwIfAborted()
      const { state, message } = await client.call(getTool, { params: { name }, query: { waitMs: '1000' } })
      if (state === 'blocked') throw new Error(`the tool ${name} is blocked: ${message}`)
      return state === 'running' ? true : undefined
    })
  }
  return (['stdio', 'http'] as const).map((name) => ({
    name: 'DTMA alone',
    upstream: name === 'stdio' ? 'stdio' : 'HTTP',
    endpoint: { url: `${url}${mcpPathOf(name)}`, headers: { authorization: `Bearer ${KEY}` }, echo: 'echo' },
    hop: { DTMA: pid },
  }))
}
