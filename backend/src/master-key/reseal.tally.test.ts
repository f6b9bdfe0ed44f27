import { expect, test } from 'vitest'
import { fitting, leftIn, NOTHING, sumOf } from './reseal.tally.ts'

test('tallies are summed, with the texts under each key that is not given', () => {
  const one = { ...NOTHING, resealed: 1, shut: new Map([['aaaaaaaa', 2]]) }
  const other = { ...NOTHING, broken: 1, shut: new Map([['aaaaaaaa', 1], ['bbbbbbbb', 4]]) } // biome-ignore format: a table
  expect(sumOf(one, other)).toMatchObject({ resealed: 1, missed: 0, broken: 1 })
  expect([...sumOf(one, other).shut]).toEqual([['aaaaaaaa', 3], ['bbbbbbbb', 4]]) // biome-ignore format: a table
})

test.each([
  ['nothing', {}, undefined],
  ['what was sealed anew', { resealed: 3 }, undefined],
  ['a text that does not open', { broken: 1, missed: 1 }, '1 sealed texts do not open'],
  ['a text under a key that is not given', { shut: new Map([['aaaaaaaa', 2]]) }, '2 want the key aaaaaaaa'],
  ['a row that somebody had', { missed: 2 }, '2 rows were in use'],
])('of %s, what is left is said', (_, tally, left) => {
  const said = leftIn({ ...NOTHING, ...tally })
  if (left === undefined) expect(said).toBeUndefined()
  else expect(said).toContain(left)
})

test.each([
  [[3, 3, 3, 3], 3],
  [[3, 3, 4, 0], 4],
  [[11, 1], 1],
  [[0, 0, 11, 1], 2],
  [[], 0],
])('of rows with %j bytes, those are taken that come to ten at most, and one at least', (sizes, count) => {
  expect(fitting(sizes, 10)).toBe(count)
})
