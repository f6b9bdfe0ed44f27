import { expect, test } from 'vitest'
import { manualClock } from './manual-clock.testing.ts'
import { createNowSince } from './now-since.ts'

const DAY_MS = 86_400_000

test.each([
  ['forward', DAY_MS],
  ['back', -DAY_MS],
])('D15: a clock that jumps a day %s changes nothing about how long ago something was', async (_, jumpMs) => {
  const clock = manualClock()
  const nowSince = createNowSince(clock)
  const asked = clock.now()
  await clock.advance(1_000)
  expect(nowSince('a', asked) - asked).toBe(1_000)
  clock.set(jumpMs)
  await clock.advance(2_000)
  expect(nowSince('a', asked) - asked).toBe(3_000)
})

test('another time is seen anew, and what is not on record is now', async () => {
  const clock = manualClock()
  const nowSince = createNowSince(clock)
  nowSince('a', clock.now())
  clock.set(DAY_MS)
  expect(nowSince('a', undefined)).toBe(clock.now())
  expect(nowSince('a', clock.now())).toBe(clock.now())
  expect(nowSince('b', 0)).toBe(clock.now())
})
