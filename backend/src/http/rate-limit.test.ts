import { expect, test } from 'vitest'
import { createRateLimit } from './rate-limit.ts'

function scene(keys?: number) {
  let time = 0
  const limit = createRateLimit({ steady: () => time, burst: 3, perSecond: 2, ...(keys ? { keys } : {}) })
  const admitted = (key: string, times: number) =>
    Array.from({ length: times }, () => limit.admit(key)).filter(Boolean).length
  return { admitted, pass: (ms: number) => (time += ms) }
}

test('a burst is let through, what is beyond it is not', () => {
  expect(scene().admitted('a', 10)).toBe(3)
})

test('one key that overdoes it takes nothing from another', () => {
  const { admitted } = scene()
  admitted('a', 1_000)
  expect(admitted('b', 1)).toBe(1)
})

test('time gives back what is allowed for it, and no more than a burst', () => {
  const { admitted, pass } = scene()
  admitted('a', 10)
  pass(1_000)
  expect(admitted('a', 10)).toBe(2)
  pass(3_600_000)
  expect(admitted('a', 10)).toBe(3)
})

test('hammering does not keep the bucket empty', () => {
  const { admitted, pass } = scene()
  admitted('a', 10)
  let total = 0
  for (let i = 0; i < 100; i++) {
    pass(100)
    total += admitted('a', 5)
  }
  expect(total).toBe(20)
})

test('the number of keys is bounded', () => {
  const { admitted } = scene(2)
  admitted('a', 3)
  admitted('b', 1)
  admitted('c', 1)
  expect(admitted('a', 3)).toBe(3)
})
