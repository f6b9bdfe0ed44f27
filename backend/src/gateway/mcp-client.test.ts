import { expect, test } from 'vitest'
import { capabilitiesIn, createClientMemories, newSessionId } from './mcp-client.ts'

test.each([
  [{}, {}],
  [{ sampling: {} }, { sampling: {} }],
  [
    { sampling: { tools: {} }, roots: { listChanged: true } },
    { sampling: { tools: {} }, roots: {} },
  ],
  [{ elicitation: { form: {}, url: {} } }, { elicitation: { form: {}, url: {} } }],
  [{ experimental: { x: {} } }, {}],
  [undefined, {}],
  ['sampling', {}],
])('a session id says what its client can be asked: %o', (said, meant) => {
  const id = newSessionId(said)
  expect(id).toMatch(/^[\x21-\x7e]+$/)
  expect(capabilitiesIn(id)).toEqual(meant)
})

test.each(['', 'of another server', `${'a'.repeat(36)}.ser`, 'x.ser'])('any other says nothing: %s', (id) => {
  expect(Object.keys(capabilitiesIn(id)).length).toBe(/^[0-9a-f-]{36}\./.test(id) ? 3 : 0)
})

test('of ten thousand clients and one more, the one heard of longest ago is forgotten', () => {
  const of = createClientMemories()
  of('first').logLevel = 'error'
  of('second').logLevel = 'error'
  for (let n = 0; n < 9_998; n += 1) of(`other ${n}`)
  expect(of('first').logLevel).toBe('error')
  of('one more')
  expect(of('first').logLevel).toBe('error')
  expect(of('second').logLevel).toBe('debug')
})
