import type { AgentLimits } from '@agentopia/api'
import { expect, test } from 'vitest'
import type { Toolbelt } from './authorise.ts'
import { createRefusals } from './refusals.ts'

const NOON = Date.UTC(2026, 5, 1, 12)
const MINUTE_MS = 60_000

function setUp() {
  let now = NOON
  const refusals = createRefusals({ now: () => now })
  /** What becomes of so many refused calls: on record as they are, on record as the last, without a record. */
  const refused = (id: string, calls: number, limits: AgentLimits = {}): number[] => {
    const agent = { id, limits } as Toolbelt['agent']
    const came = { asItIs: 0, asTheLast: 0, without: 0 }
    for (let call = 0; call < calls; call += 1)
      try {
        if (refusals.count(agent)) came.asTheLast += 1
        else came.asItIs += 1
      } catch {
        came.without += 1
      }
    return Object.values(came)
  }
  const check = (id: string): string => {
    try {
      refusals.check({ id, limits: {} } as Toolbelt['agent'])
      return 'would be on record'
    } catch (error) {
      const { code, retryAfterSeconds } = error as { code: string; retryAfterSeconds: number }
      return `${code} ${retryAfterSeconds}`
    }
  }
  return {
    refused,
    check,
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('T09 as many refused calls of an agent go on record in a minute as it may make, and one that says so', () => {
  const { refused } = setUp()
  expect(refused('usual', 500)).toEqual([60, 1, 439])
  expect(refused('more', 500, { perMinute: 100 })).toEqual([100, 1, 399])
  expect(refused('less', 100, { perMinute: 1 })).toEqual([60, 1, 39])
  expect(refused('any number of calls', 100, { perMinute: null })).toEqual([60, 1, 39])
})

test('T09 in the next minute they are on record again', () => {
  const { refused, check, pass } = setUp()
  pass(12_000)
  refused('agent', 500)
  expect(check('agent')).toBe('rate-limited 48')
  pass(MINUTE_MS - 12_000)
  expect(check('agent')).toBe('would be on record')
  expect(refused('agent', 500)).toEqual([60, 1, 439])
})

test('T09 looking counts nothing, and one agent hides nothing of another', () => {
  const { refused, check } = setUp()
  for (let look = 0; look < 100; look += 1) expect(check('agent')).toBe('would be on record')
  refused('other', 500)
  expect([check('agent'), refused('agent', 60)]).toEqual(['would be on record', [60, 0, 0]])
})
