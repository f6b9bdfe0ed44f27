import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeAway } from './belongings.testing.ts'
import type { Client } from './contract/client.ts'
import type { Input } from './contract/operation.ts'
import { callCapability, deleteTool, followToolLogs, getTool, listTools, putTool } from './contract/operations.ts'
import { type DtmaProcess, dtmaProcess } from './dtma-process.testing.ts'
import { createDockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'

type ToolRequestInput = Input<typeof putTool>['body']

const EVERYTHING = { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' } as const
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const never = new AbortController().signal
let directory = ''
let dtma: DtmaProcess
let client: Client
const run = Math.random().toString(36).slice(2, 8)
const names = [`k${run}-stdio`, `k${run}-http`] as const
/** Comes and goes. */
const passing = `k${run}-state`
const older = `k${run}-sse`

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-process-'))
  const runner = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
  dtma = await dtmaProcess({ DTMA_STATE_DIR: directory, DTMA_RUNNER_IMAGE: runner })
  client = dtma.client
})
afterAll(async () => {
  try {
    await dtma.start()
    for (const name of [...names, passing, older]) await client.call(deleteTool, { params: { name } })
  } finally {
    await dtma.stop()
  }
  await takeAway(directory)
  const left = await docker.listContainers('dtma.instance', never)
  expect(left.filter(({ Names }) => Names.some((name) => name.includes(run)))).toEqual([])
})

const specs: readonly ToolRequestInput['spec'][] = [
  { package: EVERYTHING, transport: { type: 'stdio' } },
  { package: EVERYTHING, transport: { type: 'http', port: 3001 }, args: ['streamableHttp'], env: { PORT: '3001' } },
]
const put = (generation: number) =>
  Promise.all(
    names.map((name, index) => client.call(putTool, { params: { name }, body: { generation, spec: specs[index]! } })),
  )
const states = async () => (await client.call(listTools, {})).tools.map(({ state }) => state)
const containers = async (): Promise<string[]> =>
  (await docker.listContainers('dtma.instance', never))
    .flatMap(({ Names }) => Names)
    .filter((name) => name.includes(run))
    .sort()

test('C05 D14: killed at any moment of a deployment, DTMA ends with what was asked for: nothing lost, nothing doubled', async () => {
  await dtma.start()
  await expect.poll(() => put(1).then(states), { timeout: 60_000, interval: 200 }).toEqual(['running', 'running'])
  for (let generation = 2; generation <= 9; generation++) {
    await put(generation)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_200))
    await dtma.kill()
    await dtma.start()
  }
  const ready = async () =>
    (await client.call(listTools, {})).tools.map(({ state, generation }) => `${state} ${generation}`)
  await expect.poll(ready, { timeout: 60_000 }).toEqual(['running 9', 'running 9'])
  expect(await containers()).toEqual([`/dtma-${names[1]}-9`, `/dtma-${names[0]}-9`].sort())
})

test('C05: deleted at any moment while its state is prepared, also after a kill, a tool leaves nothing', async () => {
  const params = { name: passing }
  const spec = { ...specs[0]!, state: { path: '/data' } }
  for (let round = 0; round < 8; round++) {
    await client.call(putTool, { params, body: { generation: 1, spec } })
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 600))
    if (round % 2 === 1) {
      await dtma.kill()
      await dtma.start()
    }
    await client.call(deleteTool, { params })
    const left = async () => (await client.call(listTools, {})).tools.map(({ name }) => name).sort()
    await expect.poll(left, { timeout: 60_000 }).toEqual([...names].sort())
    expect(await docker.inspectContainer(`dtma-${passing}-state`, never)).toBeUndefined()
    expect(await docker.inspectVolume(`dtma-${passing}`, never)).toBeUndefined()
  }
  await expect.poll(() => states().catch(() => []), { timeout: 30_000 }).toEqual(['running', 'running'])
})

test('calls, logs and capabilities work through the whole process', async () => {
  for (const name of names) {
    const body = { capability: 'echo', arguments: { message: `hello ${name}` } }
    const result = await client.call(callCapability, { params: { name }, body })
    expect(JSON.stringify(result)).toContain(`hello ${name}`)
  }
  // Docker takes a moment to write down what a container said just now.
  const query = { tail: 3 }
  const log = async () => (await client.open(followToolLogs, { params: { name: names[1] }, query })).text()
  await expect.poll(log, { timeout: 10_000 }).toMatch(/^id: 20\d\d-/m)
})

test('a server that knows HTTP only as a stream is found out, called, and called again after DTMA was killed', async () => {
  const transport = { type: 'http', port: 3001, path: '/sse' } as const
  const spec = { package: EVERYTHING, transport, args: ['sse'], env: { PORT: '3001' } }
  const params = { name: older }
  await client.call(putTool, { params, body: { generation: 1, spec } })
  const state = async () => (await client.call(getTool, { params }).catch(() => undefined))?.state
  const sum = { capability: 'get-sum', arguments: { a: 2, b: 40 } }
  const long = { capability: 'trigger-long-running-operation', arguments: { duration: 1, steps: 2 } }
  await expect.poll(state, { timeout: 60_000 }).toBe('running')
  expect(JSON.stringify(await client.call(callCapability, { params, body: sum }))).toContain('42')
  await dtma.kill()
  await dtma.start()
  await expect.poll(state, { timeout: 60_000 }).toBe('running')
  const both = [sum, long].map((body) => client.call(callCapability, { params, body }))
  expect(JSON.stringify(await Promise.all(both))).toMatch(/42.*ompleted/)
  await client.call(deleteTool, { params })
  await expect.poll(() => states().catch(() => []), { timeout: 60_000 }).toEqual(['running', 'running'])
})

test('D04: a tool that is killed while nobody looks is back when DTMA is', async () => {
  const before = await client.call(getTool, { params: { name: names[0] } })
  await dtma.kill()
  await docker.killContainer(before.container!.id, never)
  await dtma.start()
  await expect.poll(() => states().catch(() => []), { timeout: 30_000 }).toEqual(['running', 'running'])
  expect((await client.call(getTool, { params: { name: names[0] } })).container!.id).toBe(before.container!.id)
})

test('D11 a tool that floods its log fills neither the disk nor the memory of DTMA, though somebody follows and does not read', async () => {
  const { container } = await client.call(getTool, { params: { name: names[0] } })
  const query = { follow: 'true', tail: 1 } as const
  const followed = await client.open(followToolLogs, { params: { name: names[0] }, query })
  const before = residentMib()
  const flood = `timeout ${FLOOD_SECONDS} sh -c 'yes "a line of a log that never ends" >/proc/1/fd/2' || true`
  await promisify(execFile)('docker', ['exec', container!.id, 'sh', '-c', flood])
  const { stdout: root } = await promisify(execFile)('docker', ['info', '--format', '{{.DockerRootDir}}'])
  const logs = join(root.trim(), 'containers', container!.id, 'local-logs')
  const sizeOf = (name: string) => statSync(join(logs, name), { throwIfNoEntry: false })?.size ?? 0
  const bytes = () => readdirSync(logs).reduce((sum, name) => sum + sizeOf(name), 0)
  expect(readdirSync(logs).length).toBeGreaterThan(1) // so much came that one file was full; packed, such lines are next to nothing
  // Two files of five megabytes, and what was just written; Docker takes a moment to pack a full one, and to take it away.
  await expect.poll(bytes, { timeout: 30_000 }).toBeLessThan(12 << 20)
  expect(residentMib() - before).toBeLessThan(64)
  await followed.body!.cancel()
  const body = { capability: 'echo', arguments: { message: 'still here' } }
  expect(JSON.stringify(await client.call(callCapability, { params: { name: names[0] }, body }))).toContain(
    'still here',
  )
})

const FLOOD_SECONDS = 15
const residentMib = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${dtma.pid}/status`, 'utf8'))![1]) / 1_024
