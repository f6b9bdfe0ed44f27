import { afterAll, beforeAll, expect, test } from 'vitest'
import { deleteTool, getTool, listTools, putTool } from './contract/operations.ts'
import { ToolSpec } from './contract/tool.ts'
import type { DtmaProcess } from './dtma-process.testing.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import type { PrivateDocker } from './private-docker.testing.ts'
import { type PrivateDtma, privateDtma } from './private-dtma.testing.ts'
import { serverProgram } from './tools/mcp-server.testing.ts'

/** In every run of the tests; `TOOL_CYCLES=100` makes as many as the case asks for. */
const CYCLES = Number(process.env['TOOL_CYCLES'] ?? 10)
const never = new AbortController().signal
let rig: PrivateDtma
let machine: PrivateDocker
let dtma: DtmaProcess
let first: ToolSpec

beforeAll(async () => {
  rig = await privateDtma({ program: serverProgram('cycles'), lines: 'VOLUME /data /cache\n' })
  ;({ machine, dtma } = rig)
  first = ToolSpec.parse({ package: rig.image.package, transport: { type: 'stdio' } })
})
afterAll(() => rig?.[Symbol.asyncDispose]())

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
  // What DTMA tries by itself when it starts comes and goes.
  let before: Awaited<ReturnType<typeof kept>> | undefined
  await expect
    .poll(
      async () => {
        before = await kept()
        return before
      },
      { timeout: 60_000 },
    )
    .toMatchObject({ volumes: [], networks: ['bridge', 'host', 'none'], containers: ['/dtma-stays-1'] })
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
