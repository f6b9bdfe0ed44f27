import { expect, test } from 'vitest'
import { bytes, count, duration, percent } from './quantity.ts'

test('bytes keep three figures and their unit', () => {
  expect([0, 999, 1_000, 1_536, 2_147_483_648, 107_374_182_400].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '0.98 KiB',
    '1.50 KiB',
    '2 GiB',
    '100 GiB',
  ])
})

test('shares stay between nothing and everything', () => {
  expect([-1, 0.071, 1.2].map(percent)).toEqual(['0 %', '7 %', '100 %'])
})

test('durations are as exact as they are interesting', () => {
  expect([0.42, 2, 38.4, 1_240, 125_000, 120_000].map(duration)).toEqual([
    '0.4 ms',
    '2 ms',
    '38 ms',
    '1.2 s',
    '2 min 5 s',
    '2 min',
  ])
})

test('one thing is not many', () => {
  expect([count(1, 'tool'), count(0, 'tool'), count(2, 'capability', 'capabilities')]).toEqual([
    '1 tool',
    '0 tools',
    '2 capabilities',
  ])
})
