import { expect, test } from 'vitest'
import { orderOf, withSuperseded } from './heartbeat.order.ts'

const row = { runId: 'now', heartbeatSeq: 10, supersededRuns: ['before'] }

test.each([
  ['the next of the run', 'now', 11, 'next'],
  ['one after a gap', 'now', 99, 'next'],
  ['a repeated one', 'now', 10, 'late'],
  ['an overtaken one', 'now', 9, 'late'],
  ['the first of a new run', 'later', 1, 'new-run'],
  ['a new run whose first was lost', 'later', 2, 'new-run'],
  ['one of a replaced run', 'before', 11, 'superseded'],
])('%s', (_, runId, seq, expected) => {
  expect(orderOf(row, { runId, seq })).toBe(expected)
})

test('a bounded number of replaced runs is remembered, the newest first', () => {
  let runs: string[] = withSuperseded([], null)
  for (let i = 0; i < 50; i++) runs = withSuperseded(runs, `run ${i}`)
  expect([runs.length, runs[0]]).toEqual([16, 'run 49'])
})
