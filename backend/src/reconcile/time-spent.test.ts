import { expect, test } from 'vitest'
import { manualClock } from './manual-clock.testing.ts'
import { createTimeSpent } from './time-spent.ts'

test('time is counted from the first look at a thing, by a clock that nobody sets', async () => {
  const clock = manualClock()
  const spent = createTimeSpent(clock)
  expect(spent.on('toolbox', 'try')).toBe(0)
  await clock.advance(5_000)
  clock.set(3_600_000)
  expect([spent.on('toolbox', 'try'), spent.on('another', 'try')]).toEqual([5_000, 0])
})

test('another thing of the same key, and one that was forgotten, have the whole time', async () => {
  const clock = manualClock()
  const spent = createTimeSpent(clock)
  for (const key of ['a', 'b', 'c']) spent.on(key, 'try')
  await clock.advance(5_000)
  expect(spent.on('a', 'undo')).toBe(0)
  spent.forget('b')
  spent.forgetAllBut(['a', 'b'])
  expect(['b', 'c'].map((key) => spent.on(key, 'try'))).toEqual([0, 0])
  await clock.advance(1_000)
  spent.forgetAllBut(['a'])
  expect(spent.on('a', 'undo')).toBe(1_000)
})
