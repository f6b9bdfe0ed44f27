import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fieldsOfConfig, fieldsOfSchema } from './form-fields.ts'
import { initialValues, readArguments, readValues } from './form-values.ts'

const schema = {
  type: 'object',
  properties: {
    limit: { type: 'integer', default: 10 },
    query: { type: 'string', description: 'What to look for' },
    mode: { enum: ['fast', 'deep'] },
    ratio: { type: ['number', 'null'] },
    exact: { anyOf: [{ type: 'boolean' }, { type: 'null' }] },
    filters: { type: 'array', items: { type: 'string' } },
    mixed: { type: ['string', 'integer'] },
  },
  required: ['query'],
}

test('each property of a schema becomes the control that fits it, required ones first', () => {
  const fields = fieldsOfSchema(schema)!
  expect(fields.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
    'query: text',
    'limit: integer',
    'mode: choice',
    'ratio: number',
    'exact: boolean',
    'filters: json',
    'mixed: json',
  ])
  expect(fields[0]).toEqual({
    name: 'query',
    title: 'query',
    description: 'What to look for',
    kind: 'text',
    required: true,
  })
})

test('a schema that is no object has no form; one without properties has an empty one', () => {
  expect(fieldsOfSchema({ type: 'string' })).toBeUndefined()
  expect(fieldsOfSchema({ type: 'object', properties: 'odd' })).toBeUndefined()
  expect(fieldsOfSchema({ type: 'object' })).toEqual([])
})

test('whatever a stranger calls a schema, reading it never throws', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (properties) => {
      const fields = fieldsOfSchema({ type: 'object', properties, required: [1, null, 'x'] })!
      readValues(fields, initialValues(fields))
    }),
  )
})

test('values are read in the type of their field; what is left empty is left out', () => {
  const fields = fieldsOfSchema(schema)!
  const form = { ...initialValues(fields), query: 'x', mode: 'deep', ratio: '0.5', filters: '["a"]' }
  expect(readValues(fields, form)).toEqual({
    ok: true,
    values: { query: 'x', limit: 10, mode: 'deep', ratio: 0.5, filters: ['a'] },
  })
})

test('what does not fit is told at its field', () => {
  const fields = fieldsOfSchema(schema)!
  expect(readValues(fields, { query: ' ', limit: '1.5', ratio: 'many', filters: '[' })).toMatchObject({
    ok: false,
    problems: {
      query: 'Needed',
      limit: 'A whole number',
      ratio: 'A number',
      filters: expect.stringMatching(/^Not JSON/),
    },
  })
})

test('a choice keeps the type of its values', () => {
  const fields = fieldsOfSchema({ type: 'object', properties: { level: { enum: [1, 2] } } })!
  expect(readValues(fields, { level: '2' })).toEqual({ ok: true, values: { level: 2 } })
})

test('the settings of a catalogue entry make the same kind of form; a default spares the asking', () => {
  const fields = fieldsOfConfig([
    { key: 'owner', title: 'Owner', type: 'string', required: true, target: { env: 'OWNER' } },
    { key: 'quiet', title: 'Quiet', type: 'boolean', required: true, default: true, target: { env: 'QUIET' } },
  ])
  expect(fields.map(({ required }) => required)).toEqual([true, false])
  expect(initialValues(fields)).toEqual({ owner: '', quiet: true })
  expect(initialValues(fields, { owner: 'me', quiet: false })).toEqual({ owner: 'me', quiet: false })
})

test('arguments by hand are a JSON object; nothing is an empty one', () => {
  expect(readArguments('')).toEqual({ ok: true, values: {} })
  expect(readArguments('{"a":1}')).toEqual({ ok: true, values: { a: 1 } })
  expect(readArguments('[1]')).toMatchObject({ ok: false })
  expect(readArguments('{')).toMatchObject({ ok: false })
})
