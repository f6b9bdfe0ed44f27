import { ProblemError } from '@agentopia/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTurns } from './turns.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** One takes 30 ms, as a transaction of a busy database does. */
const work = () => new Promise<void>((done) => setTimeout(done, 30))

test('of many thousands that come at once, whoever is taken is answered while it listens, and the rest did no work', async () => {
  const turns = createTurns()
  let begun = 0
  let longest = 0
  const answered = Promise.allSettled(
    Array.from({ length: 10_000 }, async () => {
      const came = Date.now()
      await turns.take('heartbeat', () => {
        begun += 1
        return work()
      })
      longest = Math.max(longest, Date.now() - came)
    }),
  )
  await vi.advanceTimersByTimeAsync(60_000)
  const all = await answered
  const done = all.filter(({ status }) => status === 'fulfilled').length
  const refusals = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  expect(begun).toBe(done)
  expect(done).toBeGreaterThan(300)
  expect(longest).toBeLessThan(5_000)
  expect(new Set(refusals.map((error) => error instanceof ProblemError && error.code))).toEqual(
    new Set(['rate-limited']),
  )
})

test('what one kind waits for holds up no other', async () => {
  const turns = createTurns()
  const enrolments = Promise.allSettled(Array.from({ length: 1_000 }, () => turns.take('enrolment', work)))
  let heard = false
  const heartbeat = turns.take('heartbeat', work).then(() => {
    heard = true
  })
  await vi.advanceTimersByTimeAsync(30)
  expect(heard).toBe(true)
  await heartbeat
  await vi.advanceTimersByTimeAsync(60_000)
  await enrolments
})

test('where many enrol, whoever comes then is refused at the door, before he says anything; life signs pass', async () => {
  const turns = createTurns()
  const enrolments = Promise.allSettled(Array.from({ length: 103 }, () => turns.take('enrolment', work)))
  expect(() => turns.requireRoom('enrolment')).toThrow('Too many')
  expect(() => turns.requireRoom('heartbeat')).not.toThrow()
  await vi.advanceTimersByTimeAsync(60_000)
  expect((await enrolments).every(({ status }) => status === 'fulfilled')).toBe(true)
  expect(() => turns.requireRoom('enrolment')).not.toThrow()
})
