import { expect, test } from 'vitest'
import { createSealer } from '../store/seal.ts'
import { createRequestStates, type StateOf } from './request-state.ts'

const CALL: StateOf = {
  accountId: 'account_1',
  agentId: 'agent_1',
  itemId: 'belt_1',
  method: 'tools/call',
  capability: 'ask',
  args: '{}',
}
let now = 0
const states = createRequestStates(createSealer(Buffer.alloc(32, 1)), () => now)

test('what a tool sends through the client comes back to the same call, unread', () => {
  const sealed = states.seal('of the tool', CALL)
  expect(sealed).not.toContain('of the tool')
  expect(states.open(sealed, CALL)).toBe('of the tool')
})

test.each([
  ['another account', { accountId: 'account_2' }],
  ['another agent', { agentId: 'agent_2' }],
  ['another item', { itemId: 'belt_2' }],
  ['another method', { method: 'prompts/get' }],
  ['another capability', { capability: 'tell' }],
  ['other arguments', { args: '{"to":"me"}' }],
])('it opens nothing for %s', (_, change) => {
  expect(states.open(states.seal('s', CALL), { ...CALL, ...change })).toBeUndefined()
})

test.each(['', 'x', '.', 'v1.a.b.c'])('what is not ours opens nothing: %o', (sealed) => {
  expect(states.open(sealed, CALL)).toBeUndefined()
})

test('changed or old, it opens nothing', () => {
  const sealed = states.seal('s', CALL)
  expect(states.open(`${sealed}-TAMPERED`, CALL)).toBeUndefined()
  now += 15 * 60_000 - 1
  expect(states.open(sealed, CALL)).toBe('s')
  now += 1
  expect(states.open(sealed, CALL)).toBeUndefined()
})
