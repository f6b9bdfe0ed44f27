import fc from 'fast-check'
import { expect, test } from 'vitest'
import { argumentRows } from './argument-rows.ts'

test('a schema reads as lines: path, type, whether it is needed, and what bounds it', () => {
  const schema = {
    type: 'object',
    required: ['a'],
    properties: {
      a: { type: 'number', description: 'First number', minimum: 0 },
      mode: { enum: ['fast', 'deep'], default: 'fast' },
      items: { type: 'array', items: { type: 'object', properties: { name: { type: ['string', 'null'] } } } },
    },
  }
  expect(argumentRows(schema)).toEqual([
    { path: 'a', depth: 0, type: 'number', required: true, description: 'First number', notes: ['≥ 0'] },
    { path: 'mode', depth: 0, type: 'one of', required: false, notes: ['"fast" | "deep"', 'default "fast"'] },
    { path: 'items', depth: 0, type: 'object[]', required: false, notes: [] },
    { path: 'items[].name', depth: 1, type: 'string | null', required: false, notes: [] },
  ])
})

test('whatever a stranger calls a schema is read without throwing, and has an end', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (schema) => {
      expect(argumentRows({ ...schema, properties: schema }).length).toBeLessThanOrEqual(200)
    }),
  )
})
