import { expect, test } from 'vitest'
import { appendSample, type MetricSample, ratesOf } from './metric-samples.ts'

const sample = (at: number, receivedBytes = 0): MetricSample => ({ at, cpu: 0, memory: 0, receivedBytes, sentBytes: 0 })

test('a heartbeat that is read twice is remembered once, and there is an end to remembering', () => {
  const once = appendSample([], sample(1))
  expect(appendSample(once, sample(1))).toBe(once)
  const many = Array.from({ length: 500 }, (_, at) => sample(at)).reduce(appendSample, [] as readonly MetricSample[])
  expect(many).toHaveLength(360)
  expect(many.at(-1)?.at).toBe(499)
})

test('rates are per second, and never negative after a restart', () => {
  const samples = [sample(0, 100), sample(2_000, 300), sample(3_000, 10)]
  expect(ratesOf(samples, 'receivedBytes')).toEqual([
    { at: 2_000, value: 100 },
    { at: 3_000, value: 0 },
  ])
})
