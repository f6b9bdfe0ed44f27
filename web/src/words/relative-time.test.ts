import { expect, test } from 'vitest'
import { fullTime, relativeTime, spanOf, stepOf, withOwnTimes } from './relative-time.ts'

const now = Date.parse('2026-11-24T12:00:00Z')
const before = (ms: number) => new Date(now - ms).toISOString()

test.each([
  [0, 'now'],
  [999, 'now'],
  [4_000, '4 s ago'],
  [59_999, '59 s ago'],
  [60_000, '1 min ago'],
  [3_599_000, '59 min ago'],
  [3_600_000, '1 h ago'],
  [12_000_000, '3 h 20 min ago'],
  [40 * 3_600_000, '40 h ago'],
  [5 * 86_400_000, '5 d ago'],
  [-3 * 86_400_000, 'in 3 d'],
  [-90 * 86_400_000 + 2_000, 'in 90 d'],
  [-59_600, 'in 1 min'],
])('%i ms before now is said as %s', (ms, words) => {
  expect(relativeTime(before(ms), now)).toBe(words)
})

test('a time that is none is said so', () => {
  expect(relativeTime('yesterday-ish', now)).toBe('at an unknown time')
})

test('seconds tick every second, older times seldom', () => {
  expect(stepOf(before(5_000), now)).toBe(1_000)
  expect(stepOf(before(120_000), now)).toBe(30_000)
})

test('a span needs no sign', () => {
  expect(spanOf(0)).toBe('0 s')
})

test('moments inside a text are told in the time of the reader, whatever their precision', () => {
  const at = '2026-11-24T12:00:00Z'
  const precise = '2026-11-24T12:00:00.313945994Z'
  expect(withOwnTimes(`running since ${at}, seen at ${precise}`)).toBe(
    `running since ${fullTime(at)}, seen at ${fullTime(at)}`,
  )
  expect(withOwnTimes('round trip 20 ms')).toBe('round trip 20 ms')
})
