import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

test('the wait doubles, is bounded, and differs from page to page', () => {
  expect([0, 1, 2, 3].map((failures) => backoffMs(failures, 0.5))).toEqual([1_000, 2_000, 4_000, 8_000])
  expect(backoffMs(50, 0.5)).toBe(15_000)
  expect(backoffMs(0, 0)).toBeLessThan(backoffMs(0, 1))
})
