import { existsSync } from 'node:fs'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callCapability, deleteTool, getHealth, getStatus, getTool, putTool } from './contract/operations.ts'
import { ToolSpec } from './contract/tool.ts'
import { type DtmaProcess, until } from './dtma-process.testing.ts'
import type { DockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import type { PrivateDocker } from './private-docker.testing.ts'
import { type PrivateDtma, privateDtma } from './private-dtma.testing.ts'
import { serverProgram } from './tools/mcp-server.testing.ts'
import type { SmallImage } from './tools/small-image.testing.ts'
import { plainImages } from './tools/tool-images.testing.ts'

const never = new AbortController().signal
const spec = ToolSpec.parse({
  package: { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' },
  transport: { type: 'stdio' },
})
const params = { name: 'mail' }
/** Takes ever more memory from its first call on. */
const GLUTTON = `
${serverProgram('glutton')}
const held = []
answers['tools/call'] = () => {
  setInterval(() => held.push(Buffer.alloc(16 << 20, 1)), 10)
  return { content: [] }
}
`
let rig: PrivateDtma
let machine: PrivateDocker
let dtma: DtmaProcess
let glutton: SmallImage

beforeAll(async () => {
  rig = await privateDtma({ program: GLUTTON, more: plainImage })
  ;({ machine, dtma, image: glutton } = rig)
  await dtma.client.call(putTool, { params, body: { generation: 1, spec } })
  await until(async () => (await tool()).state === 'running', 60_000)
})
afterAll(() => rig?.[Symbol.asyncDispose]())

async function plainImage(shared: DockerApi, baseName: string): Promise<string[]> {
  const base = (await shared.inspectImage(baseName, never))!
  const images = plainImages(shared, { owner: 'faults', runnerBase: async () => base.Id })
  return [await images.make({ spec }, () => undefined, never)]
}

const state = async () => (await dtma.client.call(getStatus, {})).docker.state
const tool = () => dtma.client.call(getTool, { params })
const running = (ms = 60_000) => expect.poll(tool, { timeout: ms }).toMatchObject({ state: 'running' })
const call = () =>
  dtma.client.call(callCapability, { params, body: { capability: 'echo', arguments: { message: 'hi' } } })
async function containers(): Promise<readonly string[]> {
  return (await machine.docker.listContainers('dtma.instance=mail', never)).map(({ Id }) => Id)
}

/** Of the container's first process, on this machine. */
async function pidOf(id: string): Promise<number> {
  const ask = { what: 'inspect', method: 'GET', path: `/containers/${id}/json`, deadlineMs: 5_000 } as const
  const { State } = (await createEngineHttp(machine.socketPath).json(ask, never)) as { State: { Pid: number } }
  return State.Pid
}

test('D01 L02: a Docker that hangs is called so, DTMA answers meanwhile, and nothing is doubled when it goes on', async () => {
  const before = await tool()
  machine.freeze()
  try {
    await expect.poll(state, { timeout: 30_000 }).toBe('hung')
    await expect.poll(tool, { timeout: 30_000 }).toMatchObject({ state: 'unknown', reason: 'docker_hung' })
    const asked = performance.now()
    expect(await dtma.client.call(getHealth, {})).toMatchObject({ status: 'ok' })
    expect(performance.now() - asked).toBeLessThan(1_000)
  } finally {
    machine.thaw()
  }
  await running()
  expect(await tool()).toMatchObject({ restarts: before.restarts, container: { id: before.container!.id } })
  expect(await containers()).toEqual([before.container!.id])
})

test('D02: when Docker is killed and keeps its containers, the tool never stops and is spoken to again', async () => {
  const before = await tool()
  const pid = await pidOf(before.container!.id)
  await machine.kill()
  await expect.poll(state, { timeout: 20_000 }).toBe('down')
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  await machine.start({ liveRestore: true })
  await running()
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  expect((await tool()).container).toMatchObject({ id: before.container!.id, startedAt: before.container!.startedAt })
  expect(JSON.stringify(await call())).toContain('hi')
})

test('D03: when Docker is killed and takes its containers along, DTMA brings them back within 30 s', async () => {
  await machine.kill()
  await machine.start({ liveRestore: false })
  await machine.kill()
  await machine.start({ liveRestore: false })
  await running(30_000)
  expect(JSON.stringify(await call())).toContain('hi')
  expect(await containers()).toHaveLength(1)
})

/** Writes blocks of this size to the end of a file until there is no room for another one. */
async function fill(path: string, bytes: number): Promise<void> {
  const block = Buffer.alloc(bytes)
  const file = await open(path, 'a')
  try {
    for (;;) {
      const { bytesWritten } = await file.write(block)
      if (bytesWritten < bytes) return
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    await file.close()
  }
}

/** Fills a file until the disk is full, and until told to stop also what others free meanwhile: Docker tidies up when it likes. */
async function keepFull(filler: string): Promise<() => Promise<void>> {
  const stop = new AbortController()
  for (const bytes of [1 << 20, 1 << 12, 1 << 12]) await fill(filler, bytes)
  const refilled = (async () => {
    for (; !stop.signal.aborted; await sleep(20)) await fill(filler, 1 << 12)
  })()
  return () => {
    stop.abort()
    return refilled
  }
}

/** Asks for ever more of this tool until it is refused: whatever gives room back for a moment lets a change pass. @returns The next generation. */
async function refusedChange(name: string): Promise<number> {
  let generation = 0
  const put = () => dtma.client.call(putTool, { params: { name }, body: { generation: ++generation, spec } })
  const answer = () =>
    put().then(
      () => 'accepted',
      ({ code }: { code?: string }) => code,
    )
  await expect.poll(answer, { timeout: 20_000 }).toBe('state-not-writable')
  return generation + 1
}

test('D06: on a full disk a change is refused, DTMA lives, the tool runs on, and all goes on when there is room', async () => {
  const filler = join(machine.disk, 'filler')
  const stopFilling = await keepFull(filler)
  const generation = await refusedChange('late')
  expect(await dtma.client.call(getHealth, {})).toMatchObject({ status: 'ok' })
  expect(JSON.stringify(await call())).toContain('hi')

  await stopFilling()
  await rm(filler)
  await dtma.client.call(putTool, { params: { name: 'late' }, body: { generation, spec } })
  await expect
    .poll(() => dtma.client.call(getTool, { params: { name: 'late' } }), { timeout: 60_000 })
    .toMatchObject({ state: 'running' })
  await dtma.client.call(deleteTool, { params: { name: 'late' } })
})

test('D07: without an inode left a change is refused, DTMA lives, the tool runs on, and all goes on when there are some', async () => {
  const directory = join(machine.disk, 'inodes')
  await mkdir(directory)
  await useUpInodes(directory)
  const generation = await refusedChange('later')
  expect(await dtma.client.call(getHealth, {})).toMatchObject({ status: 'ok' })
  expect(JSON.stringify(await call())).toContain('hi')

  await rm(directory, { recursive: true })
  await dtma.client.call(putTool, { params: { name: 'later' }, body: { generation, spec } })
  await expect
    .poll(() => dtma.client.call(getTool, { params: { name: 'later' } }), { timeout: 60_000 })
    .toMatchObject({ state: 'running' })
  await dtma.client.call(deleteTool, { params: { name: 'later' } })
})

/** Makes empty files until the file system has none left. */
async function useUpInodes(directory: string): Promise<void> {
  try {
    for (let made = 0; ; made++) await writeFile(join(directory, `${made}`), '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

test('D09: when the machine runs out of memory, the greedy tool goes and comes back; DTMA and Docker live', async () => {
  const name = 'glutton'
  const greedy = () => dtma.client.call(getTool, { params: { name } })
  const resources = { memoryMib: 2_048 }
  const greed = ToolSpec.parse({
    package: glutton.package,
    transport: { type: 'stdio' },
    profiles: ['bigmem'],
    resources,
  })
  await machine.adopt(dtma.pid)
  await dtma.client.call(putTool, { params: { name }, body: { generation: 1, spec: greed } })
  await expect.poll(greedy, { timeout: 60_000 }).toMatchObject({ state: 'running' })
  const before = await greedy()
  const { runId } = await dtma.client.call(getStatus, {})
  await machine.limitMemory(1_024)
  await dtma.client
    .call(callCapability, { params: { name }, body: { capability: 'version', arguments: {} } })
    .catch(() => undefined) // it may not live to answer
  await expect.poll(greedy, { timeout: 60_000 }).toMatchObject({ restarts: before.restarts + 1 })
  await expect.poll(greedy, { timeout: 60_000 }).toMatchObject({ state: 'running' })

  expect(await dtma.client.call(getStatus, {})).toMatchObject({ runId, docker: { state: 'ok' } })
  // On a busy machine the kernel may choose a second victim before the first has given back its memory: a tool again.
  await running()
  expect(JSON.stringify(await call())).toContain('hi')
  await dtma.client.call(deleteTool, { params: { name } })
})

test('D14: after a loss of power everything comes back, in whatever order it starts', async () => {
  for (let reboot = 0; reboot < 4; reboot++) {
    await dtma.kill()
    await machine.powerOff()
    const starts = [() => machine.start({ liveRestore: reboot % 2 === 0 }), () => dtma.start()]
    if (reboot >= 2) starts.reverse()
    for (const start of starts) await start()
    await running()
    expect(JSON.stringify(await call())).toContain('hi')
    expect(await containers()).toHaveLength(1)
  }
})
