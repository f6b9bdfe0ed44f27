import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EngineError } from '../engine/engine-error.ts'
import { INFO, toolInMemory } from './tool-in-memory.testing.ts'

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

/** Ends with the signal alone, as what is asked of a container that stands still. */
const hanging = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

test('C07: a container that is paused by hand goes on at once, in the same session, and it is shown meanwhile', async () => {
  const { world, worker, history, pass } = toolbox()
  await pass()
  history.length = 0
  world.pause()
  await pass()
  expect(history).toEqual(['unhealthy', 'running'])
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0, container: { id: 'c1' } })
  expect({ unpaused: world.unpaused, started: world.started, opened: world.opened }).toEqual({
    unpaused: 1,
    started: 1,
    opened: 1,
  })
})

test('C07: a container that is paused while it is greeted or asked whether it is well is not waited for', async () => {
  const { world, worker, pass } = toolbox()
  world.open = hanging
  await pass()
  world.pause()
  world.open = async () => INFO
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0, container: { id: 'c1' } })
  world.check = hanging
  await pass(12_000)
  world.pause()
  world.check = async () => undefined
  await pass()
  expect(world.unpaused).toBe(2)
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0 })
})

test('a paused container that Docker does not let go on is shown as blocked, and tried again after a pause', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.unpause = async () => {
    throw new EngineError('failed', 'cgroup is busy')
  }
  world.pause()
  await pass(1_000)
  expect(worker.status).toMatchObject({ state: 'blocked', message: 'cgroup is busy' })
  world.unpause = async () => undefined
  await pass(10_000)
  expect(world.container()?.state).toBe('running')
})

test('whoever lets a paused container go on before us does us no harm', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.unpause = async () => {
    world.set('running')
    throw new EngineError('failed', 'container is not paused')
  }
  world.pause()
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', restarts: 0 })
  expect(worker.status.reason).toBeUndefined()
})

test('a paused tool that is to be stopped is stopped', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.set('paused')
  await worker.accept({ desired: 'stopped' })
  await pass()
  expect(worker.status).toMatchObject({ state: 'exited', desired: 'stopped' })
  expect(world.unpaused).toBe(0)
})

test('a container that is dead is removed and made anew, and never started', async () => {
  const { world, worker, pass } = toolbox()
  await pass()
  world.set('dead')
  worker.wake()
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', container: { id: 'c2' } })
  expect(world.started).toBe(2)
})
