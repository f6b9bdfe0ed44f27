import { JsonPath } from '@agentopia/api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stepsOf, without } from './json-path.ts'

const VALUE = {
  arguments: { user: { name: 'bob', password: 'p' }, list: [{ token: 't1' }, { token: 't2', deep: { token: 't3' } }] },
  result: { content: [{ type: 'text', text: 'hello' }], 'odd name': [1, 2] },
}
const X = '[redacted]'
const copy = () => structuredClone(VALUE) as unknown as Record<string, never> & typeof VALUE

test.each([
  ['$.arguments.user.password', (value: ReturnType<typeof copy>) => (value.arguments.user.password = X)],
  ['$.arguments', (value: Record<string, unknown>) => (value['arguments'] = X)],
  ['$.arguments.list[1].token', (value: ReturnType<typeof copy>) => (value.arguments.list[1]!.token = X)],
  ['$.result.content[*].text', (value: ReturnType<typeof copy>) => (value.result.content[0]!.text = X)],
  ["$.result['odd name'][0]", (value: { result: { 'odd name': unknown[] } }) => (value.result['odd name'][0] = X)],
  [
    '$..token',
    (value: ReturnType<typeof copy>) => {
      for (const one of value.arguments.list) one.token = X
      value.arguments.list[1]!.deep!.token = X
    },
  ],
  ['$.nothing.here[3]', () => {}],
  ['$.arguments.user.name.length', () => {}],
])('%s', (path, change) => {
  const expected = copy()
  change(expected as never)
  expect(without(VALUE, stepsOf(JsonPath.parse(path)))).toEqual(expected)
})

test.each(['', '$', 'arguments', '$.', '$.a..b..c', '$[x]', '$.a b', '$[?(@.a)]', '$[-1]', `$${'.a'.repeat(17)}`])(
  'no path that is known here: %s',
  (path) => expect(JsonPath.safeParse(path).success).toBe(false),
)

test('whatever the value, everything under a name is gone at any depth, and the rest stays', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const cleaned = JSON.stringify(without({ keep: 1, inside: value, secret: { a: 'CANARY' } }, stepsOf('$..secret')))
      expect(cleaned).not.toContain('CANARY')
      expect(JSON.parse(cleaned)).toMatchObject({ keep: 1, secret: X })
    }),
  )
})
