import { expect, test } from 'vitest'
import { orderOf } from './group.order.ts'

const members = (all: Record<string, string[]>) => Object.entries(all).map(([name, dependsOn]) => ({ name, dependsOn }))
const onToolbox = (...names: string[]) => ({
  isTaken: (name: string) => names.includes(name),
  isThere: (name: string) => names.includes(name),
})
const order = (all: Record<string, string[]>, ...there: string[]) =>
  orderOf(members(all), onToolbox(...there)).map(({ name }) => name)

test('each comes after those that it depends on, otherwise as they were given', () => {
  expect(order({ page: ['api'], api: ['store', 'cache'], cache: [], store: [] })).toEqual([
    'cache',
    'store',
    'api',
    'page',
  ])
  expect(order({ b: [], a: [] })).toEqual(['b', 'a'])
})

test('a member may depend on a tool that is on the toolbox already', () => {
  expect(order({ api: ['store'] }, 'store')).toEqual(['api'])
})

test.each([
  ['of two with one name', () => orderOf([...members({ a: [] }), ...members({ a: [] })], onToolbox()), 'one name'],
  ['of what is nowhere', () => order({ a: ['b'] }), 'a depends on b, which is neither in the group nor on the toolbox'],
  ['of a circle, naming who is in it', () => order({ a: ['b'], b: ['a'], c: [] }), 'in a circle: a, b'],
  ['of one that depends on itself', () => order({ a: ['a'] }), 'in a circle: a'],
])('there is no order %s', (_, attempt, words) => {
  expect(attempt).toThrow(expect.objectContaining({ code: 'invalid-group', message: expect.stringContaining(words) }))
})

test('a name that a tool of the toolbox has is taken', () => {
  expect(() => order({ a: [] }, 'a')).toThrow(expect.objectContaining({ code: 'name-taken' }))
})
