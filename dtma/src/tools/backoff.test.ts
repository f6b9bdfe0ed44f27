import { expect, test } from 'vitest'
import { type Backoff, failedForGood, failedOnce, NO_BACKOFF } from './backoff.ts'

test('waits double from one second to five minutes', () => {
  const waits: number[] = []
  let backoff: Backoff = NO_BACKOFF
  for (let failure = 0; failure < 11; failure++) {
    backoff = failedOnce(backoff, 1_000, 1_000)
    waits.push((backoff.retryAt - 1_000) / 1_000)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
})

test('a minute of running well is forgiveness, a second less is not', () => {
  const often = { failures: 7, retryAt: 0 }
  expect(failedOnce(often, 0, 1_000, 60_000)).toEqual({ failures: 1, retryAt: 1_000 })
  expect(failedOnce(often, 0, 1_000, 59_999).failures).toBe(8)
})

test('what only a change can mend is looked at again after five minutes', () => {
  expect(failedForGood(NO_BACKOFF, 5)).toEqual({ failures: 1, retryAt: 300_005 })
})
