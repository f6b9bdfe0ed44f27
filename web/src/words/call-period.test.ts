import { expect, test } from 'vitest'
import { beginOf } from './call-period.ts'

const NOON = Date.UTC(2026, 0, 2, 12)

test('a period began so long ago', () => {
  expect(beginOf('hour', NOON)).toBe('2026-01-02T11:00:00.000Z')
  expect(beginOf('week', NOON)).toBe('2025-12-26T12:00:00.000Z')
})

test.each([undefined, '', 'century', 'constructor', '__proto__'])('what is no period (%s) limits nothing', (period) => {
  expect(beginOf(period, NOON)).toBeUndefined()
})
