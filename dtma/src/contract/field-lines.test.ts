import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { parseInput } from './parse-input.ts'

const operation = {
  id: 'try',
  summary: 'Try',
  method: 'POST',
  path: '/try/:id',
  auth: 'control-plane',
  status: 200,
  params: z.object({ id: z.string().check(z.regex(/^a/, 'an id that begins with a')) }),
  body: z.strictObject({
    name: z.string().check(z.minLength(2), z.maxLength(4)),
    email: z.email(),
    role: z.enum(['viewer', 'owner']),
    count: z.int().check(z.minimum(1)),
    ratio: z.optional(z.number()),
    on: z.boolean(),
    list: z.array(z.string()).check(z.maxLength(1)),
    deep: z.object({ inner: z.string() }),
  }),
  problems: [],
} as const

const right = { name: 'ab', email: 'a@b.example', role: 'owner', count: 1, on: true, list: [], deep: { inner: '' } }
const linesFor = (over: object, params: object = { id: 'a' }): string[] => {
  const parsed = parseInput(operation, { params, query: {}, body: { ...right, ...over } })
  return 'invalid' in parsed ? parsed.invalid.split('\n') : []
}

test.each([
  [{ name: undefined }, 'body.name: is missing'],
  [{ name: 7 }, 'body.name: must be text'],
  [{ name: 'a' }, 'body.name: must be at least 2 characters long'],
  [{ name: 'abcde' }, 'body.name: must be at most 4 characters long'],
  [{ email: 'nobody' }, 'body.email: must be an e-mail address'],
  [{ role: 'king' }, 'body.role: must be one of viewer, owner'],
  [{ count: 0 }, 'body.count: must be at least 1'],
  [{ count: 1.5 }, 'body.count: must be a whole number'],
  [{ ratio: 'x' }, 'body.ratio: must be a number'],
  [{ on: 'yes' }, 'body.on: must be true or false'],
  [{ list: {} }, 'body.list: must be a list'],
  [{ list: ['a', 'b'] }, 'body.list: must be at most 1 entries long'],
  [{ deep: null }, 'body.deep: must be an object'],
  [{ deep: { inner: 1 } }, 'body.deep.inner: must be text'],
  [{ surprise: 1 }, 'body.surprise: is not known here'],
  [{ 'a\nb': 1 }, 'body.a?b: is not known here'],
])('%j is told as "%s"', (over, line) => {
  expect(linesFor(over)).toEqual([line])
})

test('each wrong field has a line, what a schema says itself goes before, and no value is repeated', () => {
  const lines = linesFor({ name: 'canary', role: 'canary' }, { id: 'canary' })
  expect(lines).toEqual([
    'params.id: an id that begins with a',
    'body.name: must be at most 4 characters long',
    'body.role: must be one of viewer, owner',
  ])
})
