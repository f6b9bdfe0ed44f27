import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DockerState } from '../contract/status.ts'
import { watchEngine } from './engine.watch.ts'
import { EngineError } from './engine-error.ts'

let stop = new AbortController()
beforeEach(() => {
  stop = new AbortController()
  vi.useFakeTimers()
})
afterEach(() => {
  stop.abort()
  vi.useRealTimers()
})

/** An engine whose stream of events ends when it is restarted. */
function watched() {
  let ended = Promise.withResolvers<void>()
  const world = {
    options: ['name=seccomp,profile=default'],
    info: async () => ({ SecurityOptions: world.options }),
    asked: 0,
    restart() {
      ended.resolve()
      ended = Promise.withResolvers()
    },
  }
  const states: DockerState[] = []
  const docker = {
    version: async () => ({ Version: '28.0.0', ApiVersion: '1.48' }),
    info: async () => {
      world.asked++
      return world.info()
    },
    // biome-ignore lint/correctness/useYield: nothing happens
    async *events() {
      await ended.promise
    },
  } as unknown as Parameters<typeof watchEngine>[0]['docker']
  const onState = (state: DockerState) => void states.push(state)
  const watch = watchEngine({ docker, label: 'x', onEvent: () => undefined, onState, signal: stop.signal })
  return { world, watch, states }
}

test('an engine that filters no system calls is noticed, also when it was restarted so', async () => {
  const { world, watch, states } = watched()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(watch.state).toEqual({ state: 'ok', version: '28.0.0', confinement: { seccomp: 'default', module: 'none' } })
  expect(world.asked).toBe(1)
  world.options = ['name=apparmor', 'name=seccomp,profile=unconfined']
  world.restart()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(watch.state.confinement).toEqual({ seccomp: 'none', module: 'apparmor' })
  expect(states.at(-1)).toEqual(watch.state)
})

test('an engine that says nothing of itself is no worse for it, and is asked again', async () => {
  const { world, watch } = watched()
  const { info } = world
  world.info = () => Promise.reject(new EngineError('hung', 'no answer'))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(watch.state).toEqual({ state: 'ok', version: '28.0.0' })
  world.info = info
  await vi.advanceTimersByTimeAsync(15_000)
  expect(watch.state.confinement?.seccomp).toBe('default')
})
