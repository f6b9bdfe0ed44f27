import { expect, test } from 'vitest'
import { keptOf } from './payload.ts'

const rule = { days: 1, mostBytes: 300, redact: [] }

test('what is short enough is kept as it was', () => {
  expect(keptOf(rule, { arguments: { a: [1, null] }, result: 'x' })).toEqual({
    arguments: { whole: true, json: { a: [1, null] } },
    result: { whole: true, json: 'x' },
  })
})

test('of what is too long the beginning is kept, cut between characters', () => {
  const { result } = keptOf(rule, { arguments: {}, result: `${'ä'.repeat(500)}` })
  expect(result).toEqual({ whole: false, text: `"${'ä'.repeat(149)}` })
})

test('what the rule names is taken out before anything is cut', () => {
  const kept = keptOf(
    { ...rule, redact: ['$..password'] },
    { arguments: { password: 'x'.repeat(5_000) }, result: { a: [{ password: 1 }] } },
  )
  expect(kept).toEqual({
    arguments: { whole: true, json: { password: '[redacted]' } },
    result: { whole: true, json: { a: [{ password: '[redacted]' }] } },
  })
})
