import { expect, test } from 'vitest'
import { createAttemptLimit } from '../accounts/attempt-limit.ts'
import { createShortMemory } from '../accounts/short-memory.ts'

const DAY_MS = 86_400_000

function settableClock() {
  let now = Date.UTC(2026, 0, 1)
  return {
    now: () => now,
    set: (ms: number) => {
      now += ms
    },
  }
}

test.each([
  ['forward', DAY_MS],
  ['back', -DAY_MS],
])('D15: a clock that jumps a day %s keeps nothing remembered for longer than it may be', async (_, jumpMs) => {
  const clock = settableClock()
  const memory = createShortMemory<string>(clock, { ttlMs: 5_000, most: 10 })
  const recall = (found: string) => memory.recall('token', async () => found)
  expect(await recall('first')).toBe('first')
  expect(await recall('second')).toBe('first')
  clock.set(jumpMs)
  expect(await recall('third')).toBe('third')
  expect(await recall('fourth')).toBe('third')
})

test.each([
  ['forward', DAY_MS],
  ['back', -DAY_MS],
])('D15: a clock that jumps a day %s locks nobody out for a day', (_, jumpMs) => {
  const clock = settableClock()
  const limit = createAttemptLimit({ perMinute: 2, clock, what: 'attempts' })
  limit.take('mail')
  limit.take('mail')
  expect(() => limit.take('mail')).toThrow(/Too many attempts/)
  clock.set(jumpMs)
  expect(() => limit.take('mail')).not.toThrow()
})
