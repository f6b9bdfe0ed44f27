import type { Rollout } from '@agentopia/api'
import { expect, test } from 'vitest'
import { isOpen, rolloutNote, rolloutPercent, rolloutTitle, toneOfRollout } from './rollout.ts'

const rollout = (more: Partial<Rollout>): Rollout => ({
  id: 'roll_0000000000000000',
  state: 'running',
  version: '0.2.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  counts: { updated: 3, underWay: 2, unwell: 0, waiting: 5, away: 1 },
  unwell: [],
  ...more,
})

test('one that runs tells how far it is', () => {
  expect(rolloutTitle(rollout({}))).toBe('DTMA 0.2.0 comes to every toolbox: 3 of 10 done')
  expect(rolloutNote(rollout({}))).toBe('2 under way, 5 waiting for their turn, 1 toolbox is away and not reached')
  expect(rolloutPercent(rollout({}))).toBe(30)
})

test('one that was halted warns, and says why first', () => {
  const halted = rollout({ state: 'halted', reason: '1 of the 1 toolboxes that it reached are not well' })
  expect(toneOfRollout(halted)).toBe('warn')
  expect(rolloutNote(halted)).toMatch(/^1 of the 1 toolboxes that it reached are not well\. /)
})

test.each([
  ['running', true],
  ['halted', true],
  ['done', false],
  ['given_up', false],
] as const)('%s: shown %s', (state, shown) => expect(isOpen(rollout({ state }))).toBe(shown))
