import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ConnectionFacts, nextStep, refreshTimeOf } from './connection.step.ts'

const MINUTE = 60_000
const facts = (change: Partial<ConnectionFacts>): ConnectionFacts => ({
  state: 'connected',
  now: 100 * MINUTE,
  expiresAt: 110 * MINUTE,
  refreshAt: 105 * MINUTE,
  withdrawn: false,
  ...change,
})

test.each([
  ['not due: waits, and looks again in a minute', {}, { do: 'wait', ms: MINUTE }],
  ['due', { now: 105 * MINUTE }, { do: 'refresh' }],
  ['long overdue: still refreshed, the refresh token may be good', { now: 900 * MINUTE }, { do: 'refresh' }],
  ['no refresh token, token good', { refreshAt: undefined, now: 109.5 * MINUTE }, { do: 'wait', ms: MINUTE / 2 }],
  ['no refresh token, token ended', { refreshAt: undefined, now: 110 * MINUTE }, { do: 'withdraw' }],
  ['refused, token good', { state: 'requires_reauth', refreshAt: undefined }, { do: 'wait', ms: MINUTE }],
  ['refused, token ended', { state: 'requires_reauth', now: 111 * MINUTE }, { do: 'withdraw' }],
  ['refused and withdrawn', { state: 'requires_reauth', now: 111 * MINUTE, withdrawn: true }, { do: 'nothing' }],
  ['a token without an end', { refreshAt: undefined, expiresAt: undefined }, { do: 'nothing' }],
] as const)('%s', (_, change, step) => expect(nextStep(facts(change))).toEqual(step))

test('a token is refreshed within its life, and not before half of it is over', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 10 }), (lifeMs) => {
      const at = refreshTimeOf(0, lifeMs)
      expect(at).toBeLessThan(lifeMs)
      expect(at).toBeGreaterThanOrEqual(lifeMs / 2)
    }),
  )
})
