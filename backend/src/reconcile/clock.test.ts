import { problem } from '@agentopia/api'
import { expect, test } from 'vitest'
import { createAttemptLimit } from '../accounts/attempt-limit.ts'
import { createShortMemory } from '../accounts/short-memory.ts'
import { withCircuitBreaker } from '../gateway/circuit-breaker.ts'
import { createRateLimit } from '../http/rate-limit.ts'
import { createBudget } from '../providers/digitalocean/budget.ts'
import { manualClock } from './manual-clock.testing.ts'

// Somebody sets the clock of the machine: what this process counts in minutes goes on as if nobody had.

const DAY_MS = 86_400_000
const JUMPS = [
  ['forward', DAY_MS],
  ['back', -DAY_MS],
] as const

test.each(JUMPS)(
  'D15: a clock that jumps a day %s keeps nothing remembered for longer than it may be',
  async (_, jumpMs) => {
    const clock = manualClock()
    const memory = createShortMemory<string>(clock, { ttlMs: 5_000, most: 10 })
    const recall = (found: string) => memory.recall('token', async () => found)
    expect(await recall('first')).toBe('first')
    clock.set(jumpMs)
    expect(await recall('second')).toBe('first')
    await clock.advance(5_000)
    expect(await recall('third')).toBe('third')
  },
)

test.each(JUMPS)(
  'D15: a clock that jumps a day %s locks nobody out for a day, and lets nobody in',
  async (_, jumpMs) => {
    const clock = manualClock()
    const limit = createAttemptLimit({ perMinute: 2, clock, what: 'attempts' })
    limit.take('mail')
    limit.take('mail')
    clock.set(jumpMs)
    expect(() => limit.take('mail')).toThrow(/Too many attempts/)
    await clock.advance(60_000)
    expect(() => limit.take('mail')).not.toThrow()
  },
)

test.each(JUMPS)('D15: a clock that jumps a day %s empties no bucket of what may be done', async (_, jumpMs) => {
  const clock = manualClock()
  const rate = createRateLimit({ steady: clock.steady, burst: 2, perSecond: 1 })
  expect([rate.admit('a'), rate.admit('a'), rate.admit('a')]).toEqual([true, true, false])
  clock.set(jumpMs)
  expect(rate.admit('a')).toBe(false)
  await clock.advance(1_000)
  expect([rate.admit('a'), rate.admit('a')]).toEqual([true, false])
})

test.each(JUMPS)('D15: a clock that jumps a day %s keeps no instance closed for a day', async (_, jumpMs) => {
  const clock = manualClock()
  let broken = true
  const call = withCircuitBreaker(async () => {
    if (broken) throw problem('toolbox-unreachable', 'x', { cause: new Error('reset') })
    return { answer: { result: {} }, written: '{}' }
  }, clock)
  const wanted = {} as Parameters<typeof call>[0]
  for (let n = 0; n < 5; n += 1) await expect(call(wanted)).rejects.toMatchObject({ code: 'toolbox-unreachable' })
  clock.set(jumpMs)
  await expect(call(wanted)).rejects.toMatchObject({ code: 'circuit-open' })
  broken = false
  await clock.advance(2_000)
  expect(await call(wanted)).toMatchObject({ written: '{}' })
})

test.each(JUMPS)(
  'D15: a clock that jumps a day %s asks DigitalOcean neither too often nor not at all',
  async (_, jumpMs) => {
    const clock = manualClock()
    const budget = createBudget(clock.steady, { perMinute: 1, perHour: 10 })
    expect(budget.take()).toBe(0)
    clock.set(jumpMs)
    expect(budget.take()).toBe(60_000)
    budget.pause(90_000)
    clock.set(jumpMs)
    expect(budget.take()).toBe(90_000)
    await clock.advance(90_000)
    expect(budget.take()).toBe(0)
  },
)
