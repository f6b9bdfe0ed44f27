import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeAway } from './belongings.testing.ts'
import { callCapability, deleteTool, followEvents, getTool, putTool } from './contract/operations.ts'
import { ToolSpec } from './contract/tool.ts'
import { type DtmaProcess, dtmaProcess, until } from './dtma-process.testing.ts'
import { createDockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { tappedSocket } from './tools/docker-tap.testing.ts'
import { serverProgram } from './tools/mcp-server.testing.ts'
import { type SmallImage, smallImage } from './tools/small-image.testing.ts'
import { openSpecFiles } from './tools/spec-file.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const SOCKET = '/var/run/docker.sock'
const engine = createEngineHttp(SOCKET)
const docker = createDockerApi(engine)
const never = new AbortController().signal
const run = randomBytes(3).toString('hex')
const name = `d${run}`
const params = { name }
const images: SmallImage[] = []
let tap: Awaited<ReturnType<typeof tappedSocket>>
let directory = ''
const heard: string[] = []
let listening: Promise<void>
let dtma: DtmaProcess

beforeAll(async () => {
  tap = await tappedSocket(SOCKET)
  directory = await mkdtemp(join(tmpdir(), 'dtma-drift-'))
  const stubborn = `process.on('SIGTERM', () => undefined)\n${serverProgram('stubborn')}`
  for (const program of [serverProgram('small'), stubborn])
    images.push(await smallImage(docker, BASE, `// ${run}\n${program}`, never))
  dtma = await dtmaProcess({
    DOCKER_HOST: `unix://${tap.socketPath}`,
    DTMA_STATE_DIR: directory,
    DTMA_RUNNER_IMAGE: BASE,
  })
  await dtma.start()
  const { body } = await dtma.client.open(followEvents, {})
  // It ends with the first run of DTMA, as it must.
  listening = body!
    .pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write: (text) => void heard.push(text) }))
    .catch(() => undefined)
})
afterAll(async () => {
  tap.set('open')
  await dtma.stop()
  await listening
  await tap.close()
  await takeAway(directory)
  for (const { reference } of images) await docker.removeImage(reference, never)
})

const specOf = (image: SmallImage, more: object = {}) =>
  ToolSpec.parse({ package: image.package, transport: { type: 'stdio' }, ...more })
const tool = (of = name) => dtma.client.call(getTool, { params: { name: of } })
const put = (generation: number, spec: ToolSpec, of = name) =>
  dtma.client.call(putTool, { params: { name: of }, body: { generation, spec } })
const byHand = (...args: readonly string[]) => promisify(execFile)('docker', args)
const answer = async () =>
  JSON.stringify(await dtma.client.call(callCapability, { params, body: { capability: 'version', arguments: {} } }))

/** Of the one container that the tool has. */
async function inspected() {
  const [only, ...others] = await docker.listContainers(`dtma.instance=${name}`, never)
  expect(others).toEqual([])
  return (await docker.inspectContainer(only!.Id, never))!
}

/** What is done to it, and whether the same container goes on afterwards. */
test.for<[string, (id: string) => readonly (readonly string[])[], 'goes on'?]>([
  ['stopped', (id) => [['stop', '-t', '1', id]]],
  ['removed', (id) => [['rm', '-f', id]]],
  ['paused', (id) => [['pause', id]], 'goes on'],
  ['given more memory', (id) => [['update', '-m', '1g', '--memory-swap', '1g', id]]],
  ['taken off its network', (id) => [['network', 'disconnect', '-f', `dtma-${name}`, id]]],
  ['put on a network that leads out', (id) => [['network', 'connect', 'bridge', id]]],
  ['renamed', (id) => [['rename', id, `mine-${run}`]]],
])(
  'C07: a container that is %s by hand is within 30 s what was asked for',
  { timeout: 120_000 },
  async ([, acts, goesOn]) => {
    const generation = ((await tool().catch(() => undefined))?.generation ?? 0) + 1
    await put(generation, specOf(images[0]!, { egress: [{ host: 'example.com', port: 443 }] }))
    await until(async () => (await tool()).state === 'running', 60_000)
    const { Id, Name, HostConfig } = await inspected()
    for (const args of acts(Id)) await byHand(...args)
    const isMended = async () => {
      const now = await inspected()
      const networks = Object.keys(now.NetworkSettings.Networks)
      return (
        now.State.Status === 'running' &&
        now.Name === Name &&
        JSON.stringify(now.HostConfig) === JSON.stringify(HostConfig) &&
        networks.join() === `dtma-${name}` &&
        (await tool()).state === 'running'
      )
    }
    await until(isMended, 30_000)
    expect(await answer()).toContain('small')
    const made = (await tool()).restarts + Number((await inspected()).Id !== Id)
    expect(made > 0).toBe(goesOn === undefined)
  },
)

test('C07: what was changed by hand is on record, by its name', async () => {
  for (const fields of ['HostConfig.Memory, HostConfig.MemorySwap', 'Networks', 'Name'])
    expect(heard.join('')).toContain(`was changed from outside, and is made anew: ${fields}`)
})

test.for<['cut' | 'hang']>([['cut'], ['hang']])(
  'D05: an exit in a gap of the event stream (%s) is not missed',
  { timeout: 120_000 },
  async ([mode]) => {
    await until(async () => (await tool()).state === 'running', 60_000)
    const { restarts, container } = await tool()
    tap.set(mode)
    await docker.killContainer(container!.id, never)
    tap.set('open')
    const open = performance.now()
    await until(async () => (await tool()).restarts > restarts && (await tool()).state === 'running', 30_000)
    expect(performance.now() - open).toBeLessThan(15_000)
    expect((await inspected()).Id).toBe(container!.id)
  },
)

test('S15: a container of a less strict profile is replaced when a DTMA of a newer one begins', async () => {
  const { Id, Name, Config, HostConfig } = await inspected()
  await dtma.stop()
  // As an earlier version had made it: other limits, and the mark of another profile.
  await docker.removeContainer(Id, never)
  const Labels = { ...(Config['Labels'] as object), 'dtma.spec': 'of-an-earlier-profile' }
  const body = { ...Config, Labels, HostConfig: { ...HostConfig, PidsLimit: 4_096, ReadonlyRootfs: false } }
  const id = await docker.createContainer(Name.slice(1), body as never, never)
  await docker.startContainer(id, never)
  const { files, tools } = await openSpecFiles(directory)
  await files.save({ ...tools.find((one) => one.name === name)!, containerId: id })
  await dtma.start()
  await until(async () => (await tool()).state === 'running' && (await inspected()).Id !== id, 60_000)
  const now = await inspected()
  expect(now.HostConfig).toEqual(HostConfig)
  expect(now.Config['Labels']).toEqual(Config['Labels'])
})

test('C10: a tool that ignores SIGTERM is killed after its grace, and holds up no other', async () => {
  const stubborn = `s${run}`
  await put(1, specOf(images[1]!), stubborn)
  await until(async () => (await tool(stubborn)).state === 'running', 60_000)
  const asked = performance.now()
  const deleted = dtma.client.call(deleteTool, { params: { name: stubborn } })
  await put((await tool()).generation + 1, specOf(images[0]!))
  await until(async () => (await tool()).state === 'running', 60_000)
  expect(performance.now() - asked).toBeLessThan(9_000)
  expect((await docker.listContainers(`dtma.instance=${stubborn}`, never)).map(({ State }) => State)).toEqual([
    'running',
  ])
  await deleted
  expect(performance.now() - asked).toBeGreaterThan(9_000)
  expect(performance.now() - asked).toBeLessThan(20_000)
  expect(await docker.listContainers(`dtma.instance=${stubborn}`, never)).toEqual([])
  await dtma.client.call(deleteTool, { params })
})
