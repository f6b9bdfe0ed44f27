import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeAway } from './belongings.testing.ts'
import type { Input } from './contract/operation.ts'
import { callCapability, deleteTool, getStatus, getTool, putTool, putToolSecrets } from './contract/operations.ts'
import { type DtmaProcess, dtmaProcess } from './dtma-process.testing.ts'
import { createDockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { dockerBridgeAddress } from './tools/docker-bridge.testing.ts'
import { PYTHON_SERVER, serverProgram } from './tools/mcp-server.testing.ts'
import { openPythonIndex, type PythonIndex } from './tools/python-index.testing.ts'
import {
  layerOf,
  openTestRegistry,
  savedLayersOf,
  type TestImage,
  type TestRegistry,
} from './tools/registry.testing.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const run = randomBytes(3).toString('hex')
const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const PASSWORD = `canary-${randomBytes(8).toString('hex')}`
const tool = (name: string) => `p${run}-${name}`
const put = new Set<string>()
let directory = ''
let registry: TestRegistry
let index: PythonIndex
let controlPlane: Server
let heartbeats = 0
let dtma: DtmaProcess
let base: Buffer[] = []
const images = new Set<string>()

/** An image that asks for everything that it must not get. */
const imageOf = async (version: string): Promise<TestImage> => ({
  config: {
    Entrypoint: ['node', '/server.mjs'],
    User: '0:0',
    Volumes: { '/data': {} },
    Labels: { 'dtma.owner': 'somebody', 'dtma.claim': 'stolen', 'org.example.kept': 'yes' },
    Healthcheck: { Test: ['CMD', 'node', '-e', 'process.exit(1)'], Interval: 1_000_000_000 },
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGKILL',
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
  },
  layers: [...base, await layerOf({ 'server.mjs': serverProgram(version) })],
})

/** A control plane of which only the door for DTMA is there. */
async function openControlPlane(): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.headers.authorization !== 'Bearer a-token-of-this-toolbox')
      return void response.writeHead(401).end('{}')
    if (request.url === '/dtma/heartbeat') {
      heartbeats++
      return void response.end('{"nextInSeconds":1,"wantReport":false}')
    }
    if (request.url === '/dtma/registry-credential')
      return void response.end(JSON.stringify({ credential: { username: 'robot', password: PASSWORD } }))
    response.writeHead(404).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-packages-'))
  registry = await openTestRegistry()
  registry.manners.only = { username: 'robot', password: PASSWORD }
  index = await openPythonIndex(await dockerBridgeAddress(docker))
  controlPlane = await openControlPlane()
  base = await savedLayersOf(BASE)
  dtma = await dtmaProcess({
    DTMA_STATE_DIR: directory,
    DTMA_RUNNER_IMAGE: BASE,
    DTMA_PYPI_INDEX: index.url,
    AGENTOPIA_API_BASE_URL: `http://127.0.0.1:${(controlPlane.address() as { port: number }).port}`,
    DTMA_BEARER_TOKEN: 'a-token-of-this-toolbox',
  })
  await dtma.start()
})
afterAll(async () => {
  for (const name of put) await dtma.client.call(deleteTool, { params: { name } })
  await dtma.stop()
  for (const server of [controlPlane]) {
    server.closeAllConnections()
    server.close()
  }
  await Promise.all([registry.close(), index.close(), takeAway(directory)])
})

type Spec = Input<typeof putTool>['body']['spec']
const deploy = (name: string, generation: number, spec: Spec) => {
  put.add(tool(name))
  return dtma.client.call(putTool, { params: { name: tool(name) }, body: { generation, spec } })
}
const read = (name: string) => dtma.client.call(getTool, { params: { name: tool(name) } })
/** As one line, so that a failure says why; the generation is the one that the container was made of. */
const told = async (name: string) => {
  const { state, container, message = '' } = await read(name)
  const made = container && (await docker.inspectContainer(container.id, never))
  const generation = (made?.Config['Labels'] as Record<string, string> | undefined)?.['dtma.generation']
  return `${state} ${generation} ${message}`.trim()
}
const running = (name: string, generation: number) =>
  expect.poll(() => told(name), { timeout: 60_000, interval: 300 }).toBe(`running ${generation}`)
const call = async (name: string, capability: string) =>
  JSON.stringify(await dtma.client.call(callCapability, { params: { name: tool(name) }, body: { capability } }))

const repository = `small/${run}`
const fromRegistry = (tag: string): Spec => ({
  package: { type: 'oci', image: `${registry.host}/${repository}:${tag}` },
  transport: { type: 'stdio' },
})

test('U01 a tag that moved in its registry changes nothing: a restart runs the digest that was pulled first', async () => {
  const digest = registry.put(repository, '1', await imageOf('first'))
  await deploy('moved', 1, fromRegistry('1'))
  await running('moved', 1)
  const pinned = `${registry.host}/${repository}@${digest}`
  images.add(pinned)
  expect((await read('moved')).container!.image).toBe(pinned)
  registry.put(repository, '1', await imageOf('second'))

  await deploy('moved', 2, fromRegistry('1'))
  await running('moved', 2)
  await dtma.kill()
  await dtma.start()
  await deploy('moved', 3, fromRegistry('1'))
  await running('moved', 3)
  expect(await call('moved', 'version')).toContain('first')
  expect((await read('moved')).container!.image).toBe(pinned)
})

test('S08 an image cannot bring a user, a volume, a health check or labels of ours', async () => {
  const { Config, HostConfig, Mounts } = (await docker.inspectContainer((await read('moved')).container!.id, never))!
  expect(Config).toMatchObject({
    User: '65532:65532',
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    Labels: { 'dtma.instance': tool('moved'), 'org.example.kept': 'yes' },
  })
  expect(JSON.stringify(Config['Labels'])).not.toContain('stolen')
  expect(JSON.stringify(Config['Labels'])).not.toContain('somebody')
  expect(HostConfig).toMatchObject({ PublishAllPorts: false, PortBindings: {}, ReadonlyRootfs: true })
  expect((HostConfig['Tmpfs'] as Record<string, string>)['/data']).toContain('size=16m')
  expect(Mounts).toEqual([])
})

/** Keeps something at each call, and says what it has kept. */
const KEEPER = `
import { readdirSync, writeFileSync } from 'node:fs'
${serverProgram('keeper')}
answers['tools/call'] = () => {
  writeFileSync('/data/mine', 'x')
  return { content: [{ type: 'text', text: readdirSync('/data').join() }] }
}
`

test('S08 a tool writes its state where its image has a directory of root: nothing of that is copied', async () => {
  const layer = await layerOf({ 'server.mjs': KEEPER, 'data/brought': 'by the image' })
  registry.put(repository, 'keeper', { ...(await imageOf('keeper')), layers: [...base, layer] })
  await deploy('keeper', 1, { ...fromRegistry('keeper'), state: { path: '/data' } })
  await running('keeper', 1)
  expect(await call('keeper', 'version')).toContain('"mine"')

  await deploy('keeper', 2, { ...fromRegistry('keeper'), state: { path: '/data' }, env: { GENERATION: '2' } })
  await running('keeper', 2)
  expect(await call('keeper', 'version')).toContain('"mine"')
})

test('K01 the credential of a registry is in no file of DTMA, no container and no answer', async () => {
  const { id, image } = (await read('moved')).container!
  const inspected = [await docker.inspectContainer(id, never), await docker.inspectImage(image, never)]
  expect(JSON.stringify(inspected)).not.toContain(PASSWORD)
  expect(JSON.stringify(await dtma.client.call(getStatus, {}))).not.toContain(PASSWORD)
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) expect(await readFile(join(entry.parentPath, entry.name), 'latin1')).not.toContain(PASSWORD)
  expect([...registry.presented]).toEqual([`robot:${PASSWORD}`])
})

test('C12 a slow pull holds up neither heartbeats nor other tools, shows how far it is, and ends when it is not wanted', async () => {
  registry.put(repository, 'slow', {
    config: { Entrypoint: ['/none'] },
    layers: [await layerOf({ [`slow-${run}`]: randomBytes(400_000).toString('hex') })],
  })
  registry.manners.drip = { bytes: 4_096, everyMs: 150 } // half a minute
  await deploy('slow', 1, fromRegistry('slow'))
  await expect
    .poll(() => read('slow'), { timeout: 20_000 })
    .toMatchObject({ state: 'pulling', progress: { step: 'Pulling: 0 of 1 layers', percent: expect.any(Number) } })

  const before = heartbeats
  expect(await call('moved', 'version')).toContain('first')
  await expect.poll(() => heartbeats, { timeout: 20_000 }).toBeGreaterThan(before + 1)
  expect((await read('slow')).state).toBe('pulling')
  await dtma.client.call(deleteTool, { params: { name: tool('slow') } })
  put.delete(tool('slow'))
  delete registry.manners.drip
  await expect(read('slow')).rejects.toMatchObject({ code: 'tool-not-found' })
})

test('D13 with the registry gone, a tool whose image is here restarts by its digest', async () => {
  registry.manners.status = 503
  await deploy('moved', 4, fromRegistry('1'))
  await running('moved', 4)
  expect(await call('moved', 'version')).toContain('first')
  delete registry.manners.status
})

test('a Python package runs as a tool: offline, read-only, as nobody, and with its secrets', async () => {
  const name = `greeter-${run}`
  index.put({ name, version: '1.0', scripts: { greeter: 'greeter:main' }, files: { 'greeter.py': PYTHON_SERVER } })
  const spec: Spec = { package: { type: 'pypi', name, version: '1.0' }, transport: { type: 'stdio' } }
  await deploy('greeter', 1, spec)
  await running('greeter', 1)
  expect(await call('greeter', 'greet')).toContain('hello from uid 65532, read-only')
  const { HostConfig } = (await docker.inspectContainer((await read('greeter')).container!.id, never))!
  expect(HostConfig).toMatchObject({ NetworkMode: 'none', ReadonlyRootfs: true })

  await deploy('greeter', 2, { ...spec, secrets: [{ name: 'greeting', env: 'GREETING' }] })
  const body = { version: '1', values: { greeting: 'a-secret-greeting' } }
  await dtma.client.call(putToolSecrets, { params: { name: tool('greeter') }, body })
  await running('greeter', 2)
  expect(await call('greeter', 'greet')).toContain('a-secret-greeting from uid 65532')
  const details = await docker.inspectContainer((await read('greeter')).container!.id, never)
  expect(JSON.stringify(details)).not.toContain('a-secret-greeting')
  expect(index.fetched.wheels).toBe(1)
})
