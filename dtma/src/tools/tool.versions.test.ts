import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { problem } from '../contract/problems.ts'
import { ToolFailure } from './tool-failure.ts'
import { INFO, SPEC, toolInMemory } from './tool-in-memory.testing.ts'
import { changeOf } from './tool-registry.ts'

let stop: AbortController
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  stop = new AbortController()
})
afterEach(() => {
  stop.abort()
  vi.useRealTimers()
})

function toolbox() {
  const made = toolInMemory(stop.signal)
  return { ...made, pass: (ms = 0) => vi.advanceTimersByTimeAsync(ms) }
}

test('D12 while the image of the next generation cannot be had, the present one keeps running', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const before = world.container()
  world.imageThere = false
  world.make = async () => {
    throw new ToolFailure('registry_unreachable', 'The registry does not answer')
  }
  await worker.accept({ generation: 2, spec: { ...SPEC, args: ['--new'] } })
  await pass()
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'registry_unreachable' })
  expect(world.container()).toEqual(before)
})

test('a container that is paused serves on: the next version, whose image cannot be had, is not taken back for it', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.imageThere = false
  world.make = async () => {
    throw new ToolFailure('registry_unreachable', 'The registry does not answer')
  }
  const spec = { ...SPEC, args: ['--new'] }
  await worker.accept({ generation: 2, spec })
  await pass(60_000)
  world.pause()
  await pass(1_000)
  expect(worker.tool).toMatchObject({ spec, generation: 2 })
  expect(worker.tool.refused).toBeUndefined()
  await pass(300_000)
  expect(world.container()).toMatchObject({ id: 'c1', state: 'running' })
})

test('after a restart of the machine the version before is started while the image of the next one cannot be had, and that is tried again', async () => {
  const first = toolbox()
  await first.pass()
  const good = first.worker.tool.spec
  const next = { ...SPEC, args: ['--new'] }
  const away = async () => {
    throw new ToolFailure('registry_unreachable', 'The registry does not answer')
  }
  first.world.imageThere = false
  first.world.make = away
  await first.worker.accept({ generation: 2, spec: next })
  await first.pass()
  stop.abort()
  first.world.exit()
  stop = new AbortController()
  const { world, worker } = toolInMemory(stop.signal, SPEC, {
    tool: first.worker.tool,
    container: first.world.container()!,
  })
  const { pass } = first
  const isGood = () => worker.tool.spec.args.length === 0
  Object.defineProperty(world, 'imageThere', { get: isGood, set: () => undefined })
  world.make = away
  await pass(1_000)
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'registry_unreachable' })
  await pass(15_000)
  expect(worker.status).toMatchObject({ state: 'running', reason: 'rolled_back', generation: 2 })
  expect(worker.status.message).toContain('The registry does not answer')
  expect(worker.tool.spec).toEqual(good)
  const serving = world.container()

  // It is tried again, and meanwhile the version before serves on.
  await pass(300_000)
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'registry_unreachable' })
  expect(worker.tool.spec).toEqual(next)
  await pass(600_000)
  expect(world.container()).toEqual(serving)

  Object.defineProperty(world, 'imageThere', { value: false, writable: true })
  world.make = async () => 'image:2'
  await pass(300_000)
  expect(worker.status).toMatchObject({ state: 'running', generation: 2, mcp: { acceptedDigest: 'd' } })
  expect(worker.status.reason).toBeUndefined()
  expect(world.container()).not.toEqual(serving)
})

test('a new version that does not speak MCP is taken back: the one before runs again, and says why', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  const good = worker.tool.spec
  const bad = { ...SPEC, args: ['--broken'] }
  world.open = async () => {
    if (worker.tool.spec.args.includes('--broken')) throw problem('tool-protocol-error', 'it speaks something else')
    return INFO
  }
  await worker.accept({ generation: 2, spec: bad })
  await pass()
  expect(worker.status).toMatchObject({ state: 'exited', reason: 'mcp_handshake_failed' })
  await pass(5_000)
  expect(worker.status).toMatchObject({ state: 'running', reason: 'rolled_back', generation: 2 })
  expect(worker.status.message).toContain('it speaks something else')
  expect(worker.tool.spec).toEqual(good)

  // The same request again changes nothing, and the next generation gets its own chance.
  expect(changeOf(worker.tool, { generation: 2, desired: 'running', spec: bad })).toBeUndefined()
  await worker.accept({ generation: 3, spec: { ...SPEC, args: ['--mended'] } })
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', generation: 3 })
  expect(worker.status.reason).toBeUndefined()
})

test('a package that does not exist is taken back at once, a registry that is away is not a fault of the version', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.imageThere = false
  world.make = async () => {
    if (worker.tool.generation === 3) throw new ToolFailure('registry_unreachable', 'The registry does not answer')
    if (worker.tool.generation === 2) world.imageThere = true
    throw new ToolFailure('package_not_found', 'No such version', { lasting: true })
  }
  await worker.accept({ generation: 2, spec: { ...SPEC, args: ['--next'] } })
  await pass(1_000)
  expect(worker.status).toMatchObject({ state: 'running', reason: 'rolled_back', generation: 2 })
  world.imageThere = false
  await worker.accept({ generation: 3, spec: { ...SPEC, args: ['--third'] } })
  await pass(600_000)
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'registry_unreachable', generation: 3 })
})

test('a first version that does not work has nothing to go back to', async () => {
  const { world, worker, pass } = toolbox()
  world.open = async () => {
    throw problem('tool-protocol-error', 'it speaks something else')
  }
  await pass(60_000)
  expect(worker.status).toMatchObject({ reason: 'mcp_handshake_failed', generation: 1 })
})

test('a new generation is not said to run while the container of the last one does', async () => {
  const { worker, pass } = toolbox()
  await pass()
  await worker.accept({ generation: 2 })
  expect(worker.status).toMatchObject({ state: 'starting', generation: 2, container: { id: 'c1' } })
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', generation: 2, container: { id: 'c2' } })
  await worker.accept({ generation: 3, desired: 'stopped' })
  expect(worker.status).toMatchObject({ state: 'stopping', generation: 3 })
})
