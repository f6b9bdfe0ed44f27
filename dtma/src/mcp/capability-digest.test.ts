import { expect, test } from 'vitest'
import { type Described, digestOf, digestOfAll } from './capability-digest.ts'

const echo: Described = {
  name: 'echo',
  title: 'Echo',
  description: 'Says it again',
  inputSchema: { type: 'object', properties: { text: { type: 'string' }, times: { type: 'number' } } },
  outputSchema: { type: 'object' },
  annotations: { readOnlyHint: true, openWorldHint: false },
}

test.each([
  ['description', { description: 'Says it again, to everybody' }],
  ['description, by a character that nobody sees', { description: 'Says it again\u200b' }],
  ['title', { title: 'Echo!' }],
  ['schema', { inputSchema: { ...echo.inputSchema, required: ['text'] } }],
  [
    'schema, deep inside',
    { inputSchema: { type: 'object', properties: { text: { type: 'string', description: '!' } } } },
  ],
  ['schema of the answer', { outputSchema: { type: 'array' } }],
  ['annotations', { annotations: { readOnlyHint: false, openWorldHint: false } }],
])('M07 another %s is another digest', (_, change) => {
  expect(digestOf({ ...echo, ...change })).not.toBe(digestOf(echo))
})

test('M07 the order of keys and of the list does not matter', () => {
  const turned: Described = {
    annotations: { openWorldHint: false, readOnlyHint: true },
    outputSchema: { type: 'object' },
    inputSchema: { properties: { times: { type: 'number' }, text: { type: 'string' } }, type: 'object' },
    description: 'Says it again',
    title: 'Echo',
    name: 'echo',
  }
  expect(digestOf(turned)).toBe(digestOf(echo))
  const [one, other] = [echo, { ...echo, name: 'other' }].map((of) => ({ ...of, digest: digestOf(of) }))
  expect(digestOfAll([one!, other!])).toBe(digestOfAll([other!, one!]))
})
