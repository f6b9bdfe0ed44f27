import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deleteTool, getTool, listTools, putTool } from './contract/operations.ts'
import { ToolSpec } from './contract/tool.ts'
import { type DtmaProcess, dtmaProcess } from './dtma-process.testing.ts'
import { createDockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { copyImages, type PrivateDocker, privateDocker } from './private-docker.testing.ts'
import { serverProgram } from './tools/mcp-server.testing.ts'
import { smallImage } from './tools/small-image.testing.ts'

/** In every run of the tests; `TOOL_CYCLES=100` makes as many as the case asks for. */
const CYCLES = Number(process.env['TOOL_CYCLES'] ?? 10)
const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const SHARED = '/var/run/docker.sock'
const never = new AbortController().signal
let machine: PrivateDocker
let dtma: DtmaProcess
let first: ToolSpec

beforeAll(async () => {
  machine = await privateDocker()
  await machine.start({ liveRestore: true })
  await mkdir(join(machine.disk, 'dtma'))
  const shared = createDockerApi(createEngineHttp(SHARED))
  const image = await smallImage(shared, BASE, serverProgram('cycles'), never, 'VOLUME /data /cache\n')
  await copyImages(SHARED, machine.socketPath, [BASE, image.reference], '/var/tmp/dtma-cycles.tar')
  await shared.removeImage(image.reference, never)
  dtma = await dtmaProcess({
    DOCKER_HOST: `unix://${machine.socketPath}`,
    DTMA_STATE_DIR: join(machine.disk, 'dtma'),
    DTMA_RUNNER_IMAGE: BASE,
  })
  await dtma.start()
  first = ToolSpec.parse({ package: image.package, transport: { type: 'stdio' } })
})
afterAll(async () => {
  await dtma?.stop()
  await machine?.close()
})

const engine = (what: string) => {
  const ask = { what, method: 'GET', path: `/${what}`, deadlineMs: 10_000 } as const
  return createEngineHttp(machine.socketPath).json(ask, never)
}
/** Everything that Docker keeps, by name. */
async function kept() {
  const { Volumes } = (await engine('volumes')) as { Volumes: { Name: string }[] | null }
  const networks = (await engine('networks')) as { Name: string }[]
  const containers = (await engine('containers/json?all=true')) as { Names: string[] }[]
  const images = (await engine('images/json?all=true')) as { Id: string }[]
  return {
    volumes: (Volumes ?? []).map(({ Name }) => Name).sort(),
    networks: networks.map(({ Name }) => Name).sort(),
    containers: containers.flatMap(({ Names }) => Names).sort(),
    images: images.map(({ Id }) => Id).sort(),
  }
}
const put = (name: string, spec: ToolSpec) =>
  dtma.client.call(putTool, { params: { name }, body: { generation: 1, spec } })
const running = (name: string) =>
  expect
    .poll(() => dtma.client.call(getTool, { params: { name } }), { timeout: 60_000, interval: 100 })
    .toMatchObject({ state: 'running' })

test('D16: tools that come and go leave nothing: no volume of their image, no network, no container', {
  timeout: 900_000,
}, async () => {
  await put('stays', first) // its image is what the others come from
  await running('stays')
  const before = await kept()
  expect(before.volumes).toEqual([])
  const spec = ToolSpec.parse({
    ...first,
    egress: [{ host: 'api.example.com', port: 443 }],
    state: { path: '/state' },
  })
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const name = `cycle-${cycle}`
    await put(name, spec)
    await running(name)
    await dtma.client.call(deleteTool, { params: { name } })
    await expect
      .poll(async () => (await dtma.client.call(listTools, {})).tools.map((tool) => tool.name), {
        timeout: 60_000,
        interval: 100,
      })
      .toEqual(['stays'])
  }
  // What speaks to the kernel, and the gateway, go when nobody has a network any more.
  await expect.poll(kept, { timeout: 60_000 }).toEqual(before)
})
