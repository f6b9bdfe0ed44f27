import { expect, test } from 'vitest'
import { cursorOf, positionOf } from './cursor.ts'

test('leads back to the record that it was made of', () => {
  const at = '2026-01-31T23:59:59.001Z'
  expect(positionOf(cursorOf(at, 'call_1'))).toEqual({ at: new Date(at), id: 'call_1' })
})

test.each([
  '',
  'x',
  '2026-01-01T00:00:00.000Z',
  '2026-02-30T00:00:00.000Z_call_1', // JavaScript would make it the second of March, the database an error
  '2026-02-30T00:00:00Z_call_1',
  '0000-01-01T00:00:00.000Z_call_1',
  '2026-01-01T24:00:00.000Z_call_1',
  "2026-01-01T00:00:00.000Z_'",
])('refuses %j, which no list gave out', (cursor) => {
  expect(() => positionOf(cursor)).toThrow('cursor is none that this list gave out')
})
