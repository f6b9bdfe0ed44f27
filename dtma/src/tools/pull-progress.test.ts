import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPullProgress } from './pull-progress.ts'

test('layers add up to one percentage', () => {
  const progress = createPullProgress()
  expect(progress({ status: 'Pulling from library/x', id: 'sha256:0' })).toEqual({ step: 'Asking the registry' })
  progress({ status: 'Pulling fs layer', id: 'a' })
  expect(progress({ status: 'Already exists', id: 'b' })).toEqual({ step: 'Pulling: 1 of 2 layers', percent: 50 })
  expect(progress({ status: 'Downloading', id: 'a', progressDetail: { current: 1, total: 2 } }).percent).toBe(68)
  expect(progress({ status: 'Pull complete', id: 'a' })).toEqual({ step: 'Pulling: 2 of 2 layers', percent: 100 })
})

test('the percentage stays between 0 and 100 and never falls, whatever the engine says', () => {
  const line = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    status: fc.constantFrom(
      'Pulling fs layer',
      'Waiting',
      'Downloading',
      'Download complete',
      'Extracting',
      'Pull complete',
      'Other',
    ),
    progressDetail: fc.record({ current: fc.nat(), total: fc.nat() }),
  })
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const progress = createPullProgress()
      let before = 0
      for (const { percent = 0 } of lines.map(progress)) {
        expect(percent).toBeGreaterThanOrEqual(before)
        expect(percent).toBeLessThanOrEqual(100)
        before = percent
      }
    }),
  )
})
