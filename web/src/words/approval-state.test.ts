import type { Approval } from '@agentopia/api'
import { expect, test } from 'vitest'
import { howSettled } from './approval-state.ts'

const settled = (over: Partial<Approval>) => howSettled({ state: 'approved', always: false, ...over } as Approval)

test.each([
  [{ decidedBy: 'alice' }, 'by alice'],
  [{ decidedBy: 'alice', always: true }, 'by alice, from now on'],
  [{ state: 'denied', decidedBy: 'bob', reason: 'not today' }, 'by bob: “not today”'],
  [{ state: 'expired', reason: 'Nobody answered within 300 s.' }, 'Nobody answered within 300 s.'],
] as [Partial<Approval>, string][])('%j is told as %s', (approval, words) => {
  expect(settled(approval)).toBe(words)
})
