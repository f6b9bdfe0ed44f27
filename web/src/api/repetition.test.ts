import { createAgent, createAgentToken, grantToolboxAccess, problem, removeAgent } from '@agentopia/api'
import { expect, test } from 'vitest'
import { isSentAgain } from './repetition.ts'
import { Unreachable } from './unreachable.ts'

const lost = new Unreachable('network changed')

test('what has a key, or sets what is, is sent again when nothing came back, and not for ever', () => {
  for (const op of [createAgent, grantToolboxAccess])
    expect([0, 1, 2].map((failures) => isSentAgain(op, failures, lost))).toEqual([true, true, false])
})

test('what would be done twice, or be told that it is gone, is left to the person', () => {
  for (const op of [createAgentToken, removeAgent]) expect(isSentAgain(op, 0, lost)).toBe(false)
})

test('an answer is an answer, also one that says no, and so is one that takes too long', () => {
  expect(isSentAgain(createAgent, 0, problem('store-unavailable', 'away'))).toBe(false)
  expect(isSentAgain(createAgent, 0, new DOMException('late', 'TimeoutError'))).toBe(false)
})
