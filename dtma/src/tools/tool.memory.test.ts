import { expect, test } from 'vitest'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { forgetFailures, newMemory, noteExit, type ToolMemory } from './tool.memory.ts'
import type { FoundContainer } from './tool-containers.ts'

let exits = 0
const exitOf = (id: string, state: Partial<ContainerDetails['State']> = {}): FoundContainer => ({
  observed: { id, generation: 1, specHash: 'h', state: 'exited' },
  details: {
    Id: id,
    Name: '',
    Image: '',
    RestartCount: 0,
    State: {
      Status: 'exited',
      Running: false,
      OOMKilled: false,
      ExitCode: 1,
      Error: '',
      StartedAt: '',
      FinishedAt: `${++exits}`,
      ...state,
    },
    Config: { Labels: {} },
    HostConfig: {},
    Mounts: [],
    NetworkSettings: { Networks: {} },
  },
})
const started = (more: Partial<ToolMemory> = {}): ToolMemory => ({ ...newMemory(), started: 'c', ...more })

test('an exit is counted once, however often it is seen', () => {
  const memory = started()
  const exit = exitOf('c')
  expect([noteExit(memory, exit, 0), noteExit(memory, exit, 10), noteExit(memory, exit, 20)]).toEqual([
    true,
    false,
    false,
  ])
  expect(memory).toMatchObject({ backoff: { failures: 1, retryAt: 1_000 }, held: { reason: 'exited' } })
})

test('the third exit in a row makes a crash loop', () => {
  const memory = started()
  const reasons = [1, 2, 3, 4].map(() => {
    noteExit(memory, exitOf('c'), 0)
    return memory.held?.reason
  })
  expect(reasons).toEqual(['exited', 'exited', 'crash_loop', 'crash_loop'])
})

test('a server that ran well for a minute starts over with the shortest wait', () => {
  const memory = started({ session: 'c', sessionSince: 0, backoff: { failures: 6, retryAt: 0 } })
  noteExit(memory, exitOf('c'), 61_000)
  expect(memory.backoff).toEqual({ failures: 1, retryAt: 62_000 })
  expect(memory.session).toBeUndefined()
})

test('D08: running out of memory is named, also in a crash loop', () => {
  const memory = started({ backoff: { failures: 5, retryAt: 0 } })
  noteExit(memory, exitOf('c', { OOMKilled: true, ExitCode: 137 }), 0)
  expect(memory.held?.reason).toBe('oom_killed')
})

test.each([
  ['that we asked for', started({ stopped: 'c' })],
  ['from before this run, such as a reboot of the machine', newMemory()],
])('an exit %s is no failure', (_, memory) => {
  expect(noteExit(memory, exitOf('c'), 0)).toBe(false)
  expect(memory).toMatchObject({ backoff: { failures: 0 }, held: undefined })
})

test('something new asked for is tried at once', () => {
  const memory = started({ image: 'present' })
  noteExit(memory, exitOf('c'), 0)
  forgetFailures(memory)
  expect(memory).toMatchObject({
    image: 'unknown',
    backoff: { failures: 0, retryAt: 0 },
    held: undefined,
    started: 'c',
  })
})

test('a session that broke off with its server still counts for how long it ran well', () => {
  const memory = started({ session: 'c', sessionSince: 0, sessionLost: true, backoff: { failures: 4, retryAt: 0 } })
  noteExit(memory, exitOf('c'), 120_000)
  expect(memory).toMatchObject({ backoff: { failures: 1 }, session: undefined, sessionLost: false })
})
