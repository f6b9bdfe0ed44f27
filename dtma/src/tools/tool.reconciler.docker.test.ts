import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, assert, expect, test } from 'vitest'
import { type ToolRequest, ToolSpec, type ToolStatus } from '../contract/tool.ts'
import { startEgress } from '../egress/egress.ts'
import { createDockerApi, type DockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { EngineError } from '../engine/engine-error.ts'
import { createLog } from '../log.ts'
import { createMcpBridge } from '../mcp/tool-sessions.ts'
import { systemClock } from '../uplink/clock.ts'
import { tappedSocket } from './docker-tap.testing.ts'
import { createJournal } from './journal.ts'
import { runnerBaseOf } from './runner-base.ts'
import { openSpecFiles } from './spec-file.ts'
import { startToolReconciler } from './tool.reconciler.ts'
import { createToolContainers } from './tool-containers.ts'
import { plainImages } from './tool-images.testing.ts'
import type { ToolImages } from './tool-images.ts'
import { createToolParts } from './tool-parts.ts'
import { createToolRegistry, type ToolRegistry } from './tool-registry.ts'
import { createToolSecrets } from './tool-secrets.ts'
import type { ToolSessions, ToolTarget } from './tool-sessions.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const SOCKET = '/var/run/docker.sock'
const engine = createDockerApi(createEngineHttp(SOCKET))
const docker = engine
const never = new AbortController().signal
const run = randomBytes(3).toString('hex')
const secrets = createToolSecrets(() => undefined)
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const isolation = () => ({ state: 'ok' as const, leaks: [] })
const firewall = { require: async () => undefined, wake: () => undefined }

/** @param onOpen Told of each handshake that is tried. */
function sessions(onOpen: (target: ToolTarget) => void = () => undefined): ToolSessions {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  return {
    ...bridge,
    open(target, signal) {
      onOpen(target)
      return bridge.open(target, signal)
    },
  }
}

/** A DTMA without its HTTP and its uplink, on a state directory of its own. */
async function dtma(stateDirectory?: string, docker: DockerApi = engine) {
  const directory = stateDirectory ?? (await mkdtemp(join(tmpdir(), 'dtma-tools-')))
  const stop = new AbortController()
  const { files, tools: accepted } = await openSpecFiles(directory)
  const log = createLog({ level: 'debug', write: () => undefined, date: () => new Date() })
  const opened: ToolTarget[] = []
  const runnerBase = runnerBaseOf(docker, async () => [BASE])
  const egress = startEgress({
    docker,
    owner: files.owner,
    image: runnerBase,
    stateDirectory: directory,
    self: async () => undefined,
    hostAddresses: async () => [],
    log,
    sleep: systemClock.sleep,
    signal: stop.signal,
  })
  const parts = createToolParts({ docker, owner: files.owner, egress, isolation, firewall })
  const tools = startToolReconciler({
    docker,
    files,
    parts,
    images: keepingImages(plainImages(docker, { owner: files.owner, runnerBase })),
    containers: createToolContainers({ docker, parts, owner: files.owner }),
    sessions: sessions((target) => opened.push(target)),
    secrets,
    log,
    journal: createJournal('r', () => new Date()),
    now: () => performance.now(),
    date: () => new Date(),
    signal: stop.signal,
    tools: accepted,
  })
  const registry = createToolRegistry({ tools, files, secrets })
  const end = async () => {
    stop.abort()
    await tools.stopped()
  }
  if (!stateDirectory)
    cleanups.push(async () => {
      const last = await dtma(directory)
      for (const { name } of last.registry.list()) await last.registry.delete(name)
      await last.end()
      await rm(directory, { recursive: true })
    })
  cleanups.push(end)
  return { registry, directory, files, opened, end, tools }
}

/** A build takes seconds: an image that a test is done with stays until all of them are. */
const unused = new Set<string>()
const keepingImages = (images: ToolImages): ToolImages => ({
  ...images,
  remove: async (reference) => void unused.add(reference),
})

const EVERYTHING = { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' } as const
const request = (generation: number, spec: object = {}, desired: 'running' | 'stopped' = 'running'): ToolRequest => ({
  generation,
  desired,
  spec: ToolSpec.parse({ package: EVERYTHING, transport: { type: 'stdio' }, ...spec }),
})

async function until(
  registry: ToolRegistry,
  name: string,
  wanted: (status: ToolStatus) => boolean,
  ms = 60_000,
): Promise<ToolStatus> {
  const deadline = Date.now() + ms
  for (;;) {
    const status = registry.get(name)
    if (wanted(status)) return status
    if (Date.now() > deadline) throw new Error(`Waited in vain; last seen: ${JSON.stringify(status)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
const running = ({ state }: ToolStatus): boolean => state === 'running'
const named = (suffix: string): string => `t${run}-${suffix}`

afterAll(async () => {
  for (const reference of unused)
    await docker.removeImage(reference, never).catch((error: unknown) => {
      // A product that runs on this machine may have a tool of the same image: then it stays.
      if (!(error instanceof EngineError && error.fault === 'conflict')) throw error
    })
  const left = await docker.listContainers(`dtma.instance`, never)
  expect(left.filter(({ Names }) => Names.some((name) => name.includes(run)))).toEqual([])
})

test('C06: an npm tool over stdio is built, started, spoken to, survives its crash and a restart of DTMA, and goes without a trace', async () => {
  const first = await dtma()
  const name = named('stdio')
  await first.registry.put(name, request(1, { state: { path: '/data' } }))
  const status = await until(first.registry, name, running)
  expect(status).toMatchObject({ generation: 1, restarts: 0, mcp: { server: { name: 'mcp-servers/everything' } } })
  expect(status.mcp!.capabilityCount).toBeGreaterThan(5)

  await first.registry.put(name, request(1, { state: { path: '/data' } }))
  expect(first.registry.get(name).container!.id).toBe(status.container!.id)

  await docker.killContainer(status.container!.id, never)
  const back = await until(first.registry, name, (now) => running(now) && now.restarts === 1)
  expect(back.container!.id).toBe(status.container!.id)

  await first.end()
  const second = await dtma(first.directory)
  const adopted = await until(second.registry, name, running)
  expect(adopted.container!.id).toBe(status.container!.id)
  expect(adopted.container!.startedAt).toBe(back.container!.startedAt)
  expect(second.opened.map((target) => target.adopted)).toEqual([true])

  await second.registry.delete(name)
  expect(second.registry.list()).toEqual([])
  expect(await docker.inspectContainer(`dtma-${name}-1`, never)).toBeUndefined()
  expect(await docker.inspectVolume(`dtma-${name}`, never)).toBeUndefined()
})

test('an HTTP tool is reached on a network of its own that leads nowhere', async () => {
  const { registry, opened } = await dtma()
  const name = named('http')
  const spec = { transport: { type: 'http', port: 3001 }, args: ['streamableHttp'], env: { PORT: '3001' } }
  await registry.put(name, request(1, spec))
  const { container } = await until(registry, name, running)
  expect(opened[0]).toMatchObject({ transport: 'http', adopted: false })
  expect(await docker.inspectNetwork(`dtma-${name}`, never)).toMatchObject({
    Internal: true,
    Options: { 'com.docker.network.bridge.inhibit_ipv4': 'true' },
    Containers: { [container!.id]: expect.anything() },
  })

  await registry.delete(name)
  expect(await docker.inspectNetwork(`dtma-${name}`, never)).toBeUndefined()
})

test('a new generation replaces the container, an old one is refused, stop and start and restart do as they say', async () => {
  const { registry } = await dtma()
  const name = named('life')
  await registry.create(name, request(1))
  await expect(registry.create(name, request(1))).rejects.toMatchObject({ code: 'tool-exists' })
  const first = await until(registry, name, running)
  await registry.put(name, request(2, { env: { GREETING: 'hi' } }))
  await expect(registry.put(name, request(1))).rejects.toMatchObject({ code: 'stale-generation' })
  await expect(registry.put(name, request(2))).rejects.toMatchObject({ code: 'stale-generation' })
  const second = await until(
    registry,
    name,
    (now) => running(now) && now.generation === 2 && now.container?.id !== first.container!.id,
  )

  await registry.stop(name)
  await until(registry, name, ({ state }) => state === 'exited')
  await registry.start(name)
  const again = await until(registry, name, running)
  expect(again).toMatchObject({ restarts: 0, container: { id: second.container!.id } })

  await registry.restart(name)
  const replaced = await until(registry, name, (now) => running(now) && now.container!.id !== second.container!.id)
  expect(replaced.generation).toBe(2)
  expect(await docker.inspectContainer(first.container!.id, never)).toBeUndefined()
  expect(await docker.inspectContainer(second.container!.id, never)).toBeUndefined()
})

test('C09: a server that exits at once ends in a named crash loop with growing waits', async () => {
  const { registry } = await dtma()
  const name = named('crash')
  await registry.put(name, request(1, { args: ['no-such-transport'] }))
  const looping = await until(registry, name, ({ reason }) => reason === 'crash_loop')
  expect(looping).toMatchObject({ state: 'exited', container: { exitCode: 1 } })
  expect(looping.restarts).toBeGreaterThanOrEqual(2)
  await registry.put(name, request(2))
  await until(registry, name, running)
})

test('C08 S07: containers that carry our labels or our name are left alone', async () => {
  const { registry, files } = await dtma()
  const name = named('foreign')
  const image = (await docker.inspectImage(BASE, never))!
  const foreign = async (container: string, labels: Record<string, string>) => {
    const body = { Image: image.Id, Cmd: ['sleep', '600'], Labels: labels } as never
    const id = await docker.createContainer(container, body, never)
    cleanups.push(() => docker.removeContainer(id, never))
    await docker.startContainer(id, never)
    return id
  }
  const labels = { 'dtma.owner': files.owner, 'dtma.instance': name, 'dtma.generation': '1', 'dtma.claim': 'guessed' }
  const taken = await foreign(`dtma-${name}-1`, labels)
  const elsewhere = await foreign(`x${run}`, { ...labels, 'dtma.instance': 'unheard-of' })

  await registry.put(name, request(1))
  const blocked = await until(registry, name, ({ state }) => state === 'blocked')
  expect(blocked.reason).toBe('name_conflict')
  await registry.put(name, request(2))
  const { container } = await until(registry, name, running)
  await registry.delete(name)

  for (const id of [taken, elsewhere]) expect((await docker.inspectContainer(id, never))!.State.Running).toBe(true)
  expect(container!.id).not.toBe(taken)
})

test('C11: while Docker is away or hangs, a running tool is left alone, and found as it was afterwards', async () => {
  const tap = await tappedSocket(SOCKET)
  cleanups.push(tap.close)
  const behindTap = createDockerApi(createEngineHttp(tap.socketPath))
  const { registry, tools } = await dtma(undefined, behindTap)
  const name = named('tap')
  await registry.put(name, request(1))
  const before = await until(registry, name, running)
  expect(tools.docker.state).toBe('ok')

  for (const [mode, reason] of [
    ['cut', 'docker_down'],
    ['hang', 'docker_hung'],
  ] as const) {
    tap.set(mode)
    await until(registry, name, (now) => now.state === 'unknown' && now.reason === reason)
    tap.set('open')
    const after = await until(registry, name, running)
    expect(after).toMatchObject({
      restarts: 0,
      container: { id: before.container!.id, startedAt: before.container!.startedAt! },
    })
  }
})

test('C11: when Docker cannot be reached, tools are unknown and nothing is concluded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dtma-tools-'))
  cleanups.push(() => rm(directory, { recursive: true }))
  const { files } = await openSpecFiles(directory)
  const gone = createDockerApi(createEngineHttp('/nowhere/docker.sock'))
  const stop = new AbortController()
  const fail = (): never => assert.fail('no tool has a network')
  const unneeded = { join: fail, leave: fail, connect: fail }
  const parts = createToolParts({ docker: gone, owner: files.owner, egress: unneeded, isolation, firewall })
  const tools = startToolReconciler({
    docker: gone,
    files,
    parts,
    images: plainImages(gone, { owner: files.owner, runnerBase: async () => BASE }),
    containers: createToolContainers({ docker: gone, parts, owner: files.owner }),
    sessions: sessions(),
    secrets,
    log: createLog({ level: 'error', write: () => undefined, date: () => new Date() }),
    journal: createJournal('r', () => new Date()),
    now: () => performance.now(),
    date: () => new Date(),
    signal: stop.signal,
    tools: [],
  })
  const registry = createToolRegistry({ tools, files, secrets, deletionMs: 100 })
  await registry.put('mail', request(1))
  const status = await until(registry, 'mail', ({ reason }) => reason === 'docker_down')
  expect(status.state).toBe('unknown')
  expect(tools.docker.state).toBe('down')
  await registry.delete('mail')
  expect(registry.list()).toHaveLength(1)
  stop.abort()
  await tools.stopped()
})
