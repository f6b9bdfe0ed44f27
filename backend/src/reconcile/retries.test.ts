import { expect, test } from 'vitest'
import { manualClock } from './manual-clock.testing.ts'
import { createRetries } from './retries.ts'

const open = () => {
  const clock = manualClock()
  return { clock, retries: createRetries({ clock, random: () => 1, firstMs: 1_000, longestMs: 10_000 }) }
}

test('each failure of a key waits longer than the one before, up to the longest', () => {
  const { retries } = open()
  expect([1, 2, 3, 4, 5, 6].map(() => retries.failed('key'))).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  expect(retries.failed('another')).toBe(1_000)
})

test('a key is due at first, and again when its time is over, however often it is looked at between', async () => {
  const { clock, retries } = open()
  expect(retries.dueInMs('key')).toBe(0)
  retries.failed('key')
  await clock.advance(400)
  expect(retries.dueInMs('key')).toBe(600)
  await clock.advance(600)
  expect(retries.dueInMs('key')).toBe(0)
})

test('one that is forgotten begins anew', () => {
  const { retries } = open()
  retries.failed('key')
  retries.failed('key')
  retries.forget('key')
  expect([retries.dueInMs('key'), retries.failed('key')]).toEqual([0, 1_000])
})
