import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeAway } from './belongings.testing.ts'
import { callCapability, deleteTool, getTool, listTools, putTool, startTool, stopTool } from './contract/operations.ts'
import { ToolSpec } from './contract/tool.ts'
import { type DtmaProcess, dtmaProcess } from './dtma-process.testing.ts'
import { createDockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { serverProgram } from './tools/mcp-server.testing.ts'
import { smallImage } from './tools/small-image.testing.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const never = new AbortController().signal
const run = Math.random().toString(36).slice(2, 8)
const names = Array.from({ length: 10 }, (_, index) => `r${run}-${index}`)
let directory: string
let dtma: DtmaProcess

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-restart-'))
  dtma = await dtmaProcess({ DTMA_STATE_DIR: directory, DTMA_RUNNER_IMAGE: BASE })
  await dtma.start()
})
afterAll(async () => {
  await dtma.stop()
  await takeAway(directory)
})

const tool = (name: string) => dtma.client.call(getTool, { params: { name } })
const states = async () => (await Promise.all(names.map(tool))).map(({ state }) => state)
const all = (state: string) => names.map(() => state)
const containerIds = async () => (await Promise.all(names.map(tool))).map(({ container }) => container!.id)
const each = (act: (name: string) => Promise<unknown>) => Promise.all(names.map(act))

test.each([
  ['stopped', () => dtma.stop()],
  ['killed', () => dtma.kill()],
] as const)(
  'C06: after DTMA was %s, each of ten tools runs on and is still managed: called, stopped, started, removed',
  async (_, end) => {
    // The last tool to go takes its image along.
    const image = await smallImage(docker, BASE, `// ${run}\n${serverProgram('restarted')}`, never)
    const spec = ToolSpec.parse({ package: image.package, transport: { type: 'stdio' }, resources: { memoryMib: 64 } })
    await each((name) => dtma.client.call(putTool, { params: { name }, body: { generation: 1, spec } }))
    await expect.poll(states, { timeout: 90_000 }).toEqual(all('running'))
    const before = await containerIds()

    await end()
    await dtma.start()
    await expect.poll(states, { timeout: 60_000 }).toEqual(all('running'))
    expect(await containerIds()).toEqual(before)
    const body = { capability: 'version', arguments: {} }
    for (const answer of await Promise.all(
      names.map((name) => dtma.client.call(callCapability, { params: { name }, body })),
    ))
      expect(JSON.stringify(answer)).toContain('restarted')

    await each((name) => dtma.client.call(stopTool, { params: { name } }))
    await expect.poll(states, { timeout: 60_000 }).toEqual(all('exited'))
    await each((name) => dtma.client.call(startTool, { params: { name } }))
    await expect.poll(states, { timeout: 90_000 }).toEqual(all('running'))
    await each((name) => dtma.client.call(deleteTool, { params: { name } }))
    await expect
      .poll(async () => await dtma.client.call(listTools, {}), { timeout: 60_000 })
      .toMatchObject({ tools: [] })
    const left = await docker.listContainers('dtma.instance', never)
    expect(left.filter(({ Names }) => Names.some((name) => name.includes(run)))).toEqual([])
  },
)
