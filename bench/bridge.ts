// node bench/bridge.ts: calls of one capability of server-everything, by every road, in interleaved windows. Needs Docker, and the
// image that DTMA builds tools on (DTMA_RUNNER_IMAGE, default node:24-slim). Prints medians and ratios to the server's own HTTP, and
// what DTMA uses. NODE_FLAGS: how its Node is started; default as in its image.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, deleteTool, getTool, putTool, type ToolSpec } from '@agentopia/dtma/contract'
import { build } from 'esbuild'

type Call = () => Promise<void>

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const SOCKET = '/var/run/docker.sock'
const KEY = 'a-key-for-the-benchmark'
const WINDOW_MS = 1_000
const ROUNDS = Number(process.argv[2] ?? 5)
const FLAGS = (process.env['NODE_FLAGS'] ?? '--optimize-for-size --max-semi-space-size=2').split(' ').filter(Boolean)
const pkg = { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' } as const
const FAST = { memoryMib: 512, cpus: 1, pids: 64 }
const run = Math.random().toString(36).slice(2, 8)
const [STDIO, HTTP] = [`bench-stdio-${run}`, `bench-http-${run}`]
const SPECS: Readonly<Record<string, Pick<ToolSpec, 'transport' | 'args' | 'env'>>> = {
  [STDIO]: { transport: { type: 'stdio' }, args: [], env: {} },
  [HTTP]: {
    transport: { type: 'http', port: 3001, path: '/mcp' },
    args: ['streamableHttp'],
    env: { PORT: '3001' },
  },
}
const directory = await mkdtemp(join(tmpdir(), 'dtma-bench-'))
const children: ChildProcess[] = []
const agent = new Agent({ keepAlive: true, maxSockets: 256 })

/** One JSON request; the answer's text. */
function post(url: string, headers: Readonly<Record<string, string>>, body: unknown) {
  const text = JSON.stringify(body)
  const { promise, resolve, reject } = Promise.withResolvers<{ text: string; session: string | undefined }>()
  const outgoing = request(url, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers },
  })
  outgoing.on('error', reject).on('response', (response) => {
    let answer = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk
    })
    response.on('end', () =>
      resolve({ text: answer, session: response.headers['mcp-session-id'] as string | undefined }),
    )
  })
  outgoing.end(text)
  return promise
}

const ARGUMENTS = { message: 'hello' }
function checked(text: string): void {
  if (!text.includes('hello')) throw new Error(`An unexpected answer: ${text.slice(0, 200)}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

function started(command: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(command, args, { env: { ...env }, stdio: ['ignore', 'ignore', 'inherit'] })
  children.push(child)
  return child
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('Waited two minutes in vain')
}

const rssOf = async (child: ChildProcess): Promise<number> =>
  Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024

/** Microseconds of CPU since it was started. */
async function cpuOf(child: ChildProcess): Promise<number> {
  const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function engine(method: string, path: string, body?: unknown): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const headers = { 'content-type': 'application/json' }
  const outgoing = request({ socketPath: SOCKET, method, path: `/v1.41${path}`, headers }, (response) => {
    let text = ''
    response.on('data', (chunk) => {
      text += chunk
    })
    response.on('end', () => resolve(text === '' ? undefined : JSON.parse(text)))
  })
  outgoing.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

/** A session over HTTP with the server itself, in a container without DTMA. */
async function ownHttp(image: string): Promise<{ call: Call; remove: () => Promise<unknown> }> {
  const HostConfig = { NanoCpus: FAST.cpus * 1e9, Init: true }
  const body = { Image: image, Cmd: ['streamableHttp'], Env: ['PORT=3001', 'HOME=/tmp'], HostConfig }
  const { Id } = (await engine('POST', '/containers/create', body)) as { Id: string }
  await engine('POST', `/containers/${Id}/start`)
  const { NetworkSettings } = (await engine('GET', `/containers/${Id}/json`)) as {
    NetworkSettings: { IPAddress: string }
  }
  const url = `http://${NetworkSettings.IPAddress}:3001/mcp`
  const accept = { accept: 'application/json, text/event-stream' }
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
  const session = await until(
    async () => (await post(url, accept, { jsonrpc: '2.0', id: 0, method: 'initialize', params })).session,
  )
  const headers = { ...accept, 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' }
  await post(url, headers, { jsonrpc: '2.0', method: 'notifications/initialized' })
  let id = 0
  const call = async () => {
    const message = { jsonrpc: '2.0', id: ++id, method: 'tools/call', params: { name: 'echo', arguments: ARGUMENTS } }
    checked((await post(url, headers, message)).text)
  }
  return { call, remove: () => engine('DELETE', `/containers/${Id}?force=true&v=true`) }
}

async function window(call: Call, inFlight: number): Promise<{ perSecond: number; p50: number }> {
  const times: number[] = []
  const end = performance.now() + WINDOW_MS
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        const begun = performance.now()
        await call()
        times.push(performance.now() - begun)
      }
    }),
  )
  times.sort((a, b) => a - b)
  return { perSecond: (times.length * 1_000) / WINDOW_MS, p50: times[times.length >> 1] ?? Number.NaN }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const bundle = join(directory, 'dtma.cjs')
const common = { bundle: true, platform: 'node', target: 'node24', format: 'cjs', logLevel: 'warning' } as const
await build({ ...common, entryPoints: [join(import.meta.dirname, '../dtma/src/main.ts')], outfile: bundle })
const port = await freePort()
const env = { DTMA_STATE_DIR: join(directory, 'state'), DTMA_RUNNER_IMAGE: BASE, BACKEND_TO_DTMA_API_KEY: KEY }
const dtma = started(process.execPath, [...FLAGS, bundle], {
  ...env,
  MALLOC_ARENA_MAX: '1',
  HOST: '127.0.0.1',
  PORT: String(port),
  LOG_LEVEL: 'error',
})
const bare = started(
  process.execPath,
  ['-e', `require('node:http').createServer((q, r) => r.end('ok')).listen(${await freePort()})`],
  {},
)
const cleanups: (() => Promise<unknown>)[] = []
const base = `http://127.0.0.1:${port}`
const client = createClient({ baseUrl: base, token: KEY })
for (const name of Object.keys(SPECS)) cleanups.push(() => client.call(deleteTool, { params: { name } }))
async function remove(): Promise<void> {
  for (const cleanup of cleanups.splice(0)) await cleanup()
}
try {
  let image = ''
  for (const [name, spec] of Object.entries(SPECS)) {
    const body = { generation: 1, spec: { ...spec, package: pkg, resources: FAST } }
    await until(() => client.call(putTool, { params: { name }, body }))
    const status = await until(async () => {
      const status = await client.call(getTool, { params: { name } })
      return status.state === 'running' ? status : undefined
    })
    image = status.container?.image ?? ''
  }
  const throughDtma =
    (name: string): Call =>
    async () => {
      const body = { capability: 'echo', arguments: ARGUMENTS, timeoutMs: 5_000 }
      checked((await post(`${base}/tools/${name}/execute`, { authorization: `Bearer ${KEY}` }, body)).text)
    }
  const own = await ownHttp(image)
  cleanups.push(own.remove)
  const roads: readonly (readonly [string, Call])[] = [
    ["the server's own HTTP", own.call],
    ['DTMA, server on stdio', throughDtma(STDIO)],
    ['DTMA, server on HTTP', throughDtma(HTTP)],
  ]
  for (const [, call] of roads) await window(call, 4)
  for (const inFlight of [1, 16, 64]) {
    const seen = roads.map(() => ({ perSecond: [] as number[], p50: [] as number[], cpu: [] as number[] }))
    for (let round = 0; round < ROUNDS; round++)
      for (const [index, [, call]] of roads.entries()) {
        const before = await cpuOf(dtma)
        const { perSecond, p50 } = await window(call, inFlight)
        seen[index]?.cpu.push(((await cpuOf(dtma)) - before) / ((perSecond * WINDOW_MS) / 1_000))
        seen[index]?.perSecond.push(perSecond)
        seen[index]?.p50.push(p50)
      }
    const floor = seen[0] && { perSecond: median(seen[0].perSecond), p50: median(seen[0].p50) }
    for (const [index, [name]] of roads.entries()) {
      const [rate, p50] = [median(seen[index]?.perSecond ?? []), median(seen[index]?.p50 ?? [])]
      const ratios = `rate × ${(rate / (floor?.perSecond ?? 1)).toFixed(2)}, p50 × ${(p50 / (floor?.p50 ?? 1)).toFixed(2)}`
      const cpu = index === 0 ? '' : `  CPU of DTMA ${Math.round(median(seen[index]?.cpu ?? []))} us/call`
      console.log(
        `${String(inFlight).padStart(2)} in flight  ${name.padEnd(24)} ${rate.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(2)} ms  ${ratios}${cpu}`,
      )
    }
  }
  await remove()
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  const [mine, floor] = [await rssOf(dtma), await rssOf(bare)]
  console.log(
    `idle RSS: DTMA ${mine.toFixed(1)} MiB, bare Node HTTP server ${floor.toFixed(1)} MiB, × ${(mine / floor).toFixed(2)}`,
  )
} finally {
  await remove()
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)))
  await rm(directory, { recursive: true })
  agent.destroy()
}
