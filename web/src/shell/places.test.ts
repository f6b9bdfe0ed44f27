import { expect, test } from 'vitest'
import { rankPlaces } from './places.ts'

const places = ['research-memory', 'memory', 'everything', 'edge-berlin'].map((name) => ({ name, kind: 'tool' }))
const find = (search: string) => rankPlaces(places, search).map(({ name }) => name)

test('without a search everything is offered, in its order', () => {
  expect(find(' ')).toHaveLength(4)
})

test('what begins with the search comes before what contains it', () => {
  expect(find('mem')).toEqual(['memory', 'research-memory'])
  expect(find('MEMORY')).toEqual(['memory', 'research-memory'])
})

test('letters in order are enough; letters that are absent are not', () => {
  expect(find('edb')).toEqual(['edge-berlin'])
  expect(find('zzz')).toEqual([])
})
