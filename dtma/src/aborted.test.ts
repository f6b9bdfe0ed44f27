import { expect, test } from 'vitest'
import { aborted } from './aborted.ts'

test('it resolves when the signal aborts, and at once when it has', async () => {
  const stop = new AbortController()
  let isOver = false
  const waiting = aborted(stop.signal).then(() => {
    isOver = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isOver).toBe(false)
  stop.abort()
  await waiting
  expect(isOver).toBe(true)
  await aborted(stop.signal)
})
