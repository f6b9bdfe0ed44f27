import { expect, test } from 'vitest'
import type { Log } from '../log.ts'
import { backoffMs } from './backoff.ts'
import { runLoop } from './loop.ts'
import { manualClock } from './manual-clock.testing.ts'
import { again, type Outcome, settled } from './reconciler.ts'

interface Attempt {
  readonly at: number
  readonly key: string
}

/** A loop over `keys` whose steps are `step`, its clock, and a record of every attempt. */
function scene(step: (key: string, nth: number, signal: AbortSignal) => Outcome | Promise<Outcome>, keys = ['a']) {
  const clock = manualClock(0)
  const stop = new AbortController()
  const attempts: Attempt[] = []
  const failures: unknown[] = []
  const log = { debug() {}, info() {}, warn() {}, error: (fields: unknown) => failures.push(fields) } as unknown as Log
  const loop = runLoop(
    {
      name: 'test',
      list: async () => keys,
      reconcile: async (key, signal) => {
        attempts.push({ at: clock.steady(), key })
        return step(key, attempts.filter((attempt) => attempt.key === key).length, signal)
      },
    },
    { signal: stop.signal, clock, log, random: () => 1 },
  )
  return { clock, loop, attempts, failures, times: () => attempts.map(({ at }) => at), stop: () => stop.abort() }
}

const hang = (signal: AbortSignal) =>
  new Promise<Outcome>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

test('a settled key is looked at again at each resync', async () => {
  const { clock, times } = scene(() => settled)
  await clock.advance(65_000)
  expect(times()).toEqual([0, 30_000, 60_000])
})

test('a wake-up is followed at once', async () => {
  const { clock, loop, times } = scene(() => settled)
  await clock.advance(1_000)
  loop.wake('a')
  await clock.advance(0)
  expect(times()).toEqual([0, 1_000])
})

test('many wake-ups of a waiting key make one step', async () => {
  const { clock, loop, times } = scene(() => settled, [])
  for (let i = 0; i < 100; i++) loop.wake('a')
  await clock.advance(100)
  expect(times()).toEqual([0])
})

test('a step that is not done is taken again after the time it names', async () => {
  const { clock, times } = scene((_, nth) => (nth < 3 ? again(2_000) : settled))
  await clock.advance(20_000)
  expect(times()).toEqual([0, 2_000, 4_000])
})

test('the next step of a key follows at once where it says so', async () => {
  const { clock, times } = scene((_, nth) => (nth < 4 ? again(0) : settled))
  await clock.advance(7)
  await clock.advance(1_000)
  expect(times()).toEqual([0, 0, 0, 0])
})

test('a failing key waits 1, 2, 4 … at most 60 seconds and is logged once', async () => {
  const { clock, times, failures } = scene(() => Promise.reject(new Error('no')))
  await clock.advance(200_000)
  expect(times().map((at) => at / 1_000)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183])
  expect(failures).toHaveLength(1)
})

test('a failing key does not delay others', async () => {
  const { clock, attempts } = scene(
    (key) => (key === 'bad' ? Promise.reject(new Error('no')) : again(1_000)),
    ['bad', 'good'],
  )
  await clock.advance(10_000)
  expect(attempts.filter(({ key }) => key === 'good')).toHaveLength(11)
})

test('another failure of the same key is logged again', async () => {
  const { clock, failures } = scene((_, nth) => Promise.reject(new Error(nth < 3 ? 'first' : 'second')))
  await clock.advance(10_000)
  expect(failures).toHaveLength(2)
})

test('a key that worked again starts its back-off anew', async () => {
  const { clock, loop, times } = scene((_, nth) => (nth === 3 ? settled : Promise.reject(new Error('no'))))
  await clock.advance(4_000)
  loop.wake('a')
  await clock.advance(1_000)
  expect(times()).toEqual([0, 1_000, 3_000, 4_000, 5_000])
})

test('at most eight keys are worked on at once, and one key never twice', async () => {
  const now = new Set<string>()
  let most = 0
  const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
  const release: (() => void)[] = []
  const { clock, loop, attempts } = scene(async (key) => {
    expect(now.has(key)).toBe(false)
    now.add(key)
    most = Math.max(most, now.size)
    await new Promise<void>((resolve) => release.push(resolve))
    now.delete(key)
    return settled
  }, keys)
  for (let round = 0; round < 10; round++) {
    await clock.advance(0)
    for (const key of keys.slice(0, 3)) loop.wake(key)
    for (const done of release.splice(0)) done()
  }
  expect(most).toBe(8)
  expect(new Set(attempts.map(({ key }) => key)).size).toBe(40)
})

test('a wake-up during a step leads to one more step after it', async () => {
  let finish = () => {}
  const { clock, loop, times } = scene(async (_, nth) => {
    if (nth === 1) await new Promise<void>((resolve) => (finish = resolve))
    return settled
  })
  await clock.advance(10)
  loop.wake('a')
  loop.wake('a')
  finish()
  await clock.advance(1_000)
  expect(times()).toEqual([0, 10])
})

test('a step that hangs is aborted at its deadline and retried', async () => {
  const { clock, times, failures } = scene((_, nth, signal) => (nth === 1 ? hang(signal) : settled))
  await clock.advance(62_000)
  expect(times()[1]).toBe(61_000)
  expect(failures).toHaveLength(1)
})

test('stopping aborts the running step, starts no other and logs nothing', async () => {
  const { clock, loop, attempts, failures, stop } = scene((_, __, signal) => hang(signal), ['a', 'b'])
  await clock.advance(10)
  stop()
  await loop.stopped
  loop.wake('c')
  await clock.advance(100_000)
  expect(attempts).toHaveLength(2)
  expect(failures).toHaveLength(0)
  expect(clock.sleepers).toBe(0)
})

test('half of each back-off is random', () => {
  expect([1, 2, 7, 1_000].map((count) => backoffMs(count, () => 0))).toEqual([500, 1_000, 30_000, 30_000])
  expect([1, 2, 7, 1_000].map((count) => backoffMs(count, () => 1))).toEqual([1_000, 2_000, 60_000, 60_000])
})

test.each([
  ['forward', 86_400_000],
  ['back', -86_400_000],
])(
  'D15 a clock that jumps a day %s causes no storm and no silence: steps and resyncs keep their pace',
  async (_, jumpMs) => {
    const { clock, times } = scene((_, nth) => (nth === 1 ? again(5_000) : settled))
    await clock.advance(1_000)
    clock.set(jumpMs)
    await clock.advance(64_000)
    expect(times()).toEqual([0, 5_000, 30_000, 60_000])
  },
)
