import { expect, test } from 'vitest'
import {
  type DropletFacts,
  type DropletStep,
  ENROL_MS,
  nextDropletStep,
  type SeenDroplet,
  UP_MS,
} from './droplet.step.ts'

const NOW = Date.parse('2026-01-01T10:00:00.000Z')
const MINUTE = 60_000
const MONTHS = 90 * 24 * 60 * MINUTE
const OWN = 7
const ago = (ms: number) => new Date(NOW - ms).toISOString()

const up: SeenDroplet = { id: OWN, status: 'active', address: '203.0.113.7' }
const unaddressed: SeenDroplet = { id: OWN, status: 'active' }
const fresh: SeenDroplet = { id: OWN, status: 'new' }
const off: SeenDroplet = { id: OWN, status: 'off' }
const archived: SeenDroplet = { id: OWN, status: 'archive' }

const facts = (over: Partial<DropletFacts>): DropletFacts => ({
  desired: 'present',
  status: 'provisioning',
  droplets: [],
  ownId: OWN,
  hasAddress: false,
  record: { retry: 0, attempts: 1, emptyLooks: 0, outcome: 'made', askedAt: ago(MINUTE) },
  retries: 0,
  now: NOW,
  ...over,
})
/** Asked for so long ago, and not up yet. */
const asked = (ms: number, droplet: SeenDroplet) =>
  facts({ droplets: [droplet], record: { ...facts({}).record, askedAt: ago(ms) } })
/** Asked for months ago, and up for so long: a rebuild, or an enrolment, has begun the time anew. */
const risen = (ms: number, ...droplets: SeenDroplet[]) =>
  facts({
    status: 'awaiting_heartbeat',
    droplets,
    record: { ...facts({}).record, askedAt: ago(MONTHS), upSince: ago(ms) },
  })

/** Up once, and not found so many times. */
const gone = (emptyLooks: number) => {
  const before = risen(MINUTE)
  return { ...before, record: { ...before.record, emptyLooks } }
}

const waitsForPower: DropletStep = { kind: 'wait-for-power', id: OWN, ms: 30_000 }
const waits = (ms: number): DropletStep => ({ kind: 'wait', ms })
const givesUp = (reason: string, ...destroy: number[]) => ({
  kind: 'give-up',
  reason: expect.stringContaining(reason),
  destroy,
  remains: destroy.length === 0,
})

const CASES: readonly (readonly [string, DropletFacts, object])[] = [
  ['new since a moment is looked at often', asked(MINUTE - 1, fresh), waits(2_000)],
  ['new is waited for', asked(UP_MS - 1, fresh), waits(15_000)],
  ['active without an address is waited for', asked(UP_MS - 1, unaddressed), waits(15_000)],
  ['not up in time is destroyed: nothing is on it', asked(UP_MS, fresh), givesUp('destroyed', OWN)],
  ['archived and never up is destroyed in time', asked(UP_MS, archived), givesUp('destroyed', OWN)],
  ['up is adopted', asked(MINUTE, up), { kind: 'adopt', droplet: up }],
  [
    'enrolled before it was seen up is adopted',
    { ...asked(MINUTE, up), status: 'awaiting_heartbeat' },
    { kind: 'adopt', droplet: up },
  ],
  ['off before it was up is waited for', asked(UP_MS - 1, off), waitsForPower],
  ['off before it was up for too long is told, and stays', asked(UP_MS, off), givesUp('is powered off')],
  ['off once it was up is waited for', risen(ENROL_MS - 1, off), waitsForPower],
  ['off once it was up for too long is told, and stays', risen(ENROL_MS, off), givesUp('is powered off')],
  ['gone for a few looks is looked for', gone(4), { kind: 'count-empty', ms: 15_000 }],
  ['gone for five looks once it was up is lost, and none is asked for instead', gone(5), { kind: 'lost' }],
  [
    'gone for five looks and never up is asked for once more',
    facts({ record: { ...facts({}).record, emptyLooks: 5 } }),
    { kind: 'ask' },
  ],
  ['up has its time to enrol', risen(ENROL_MS - 1, up), waits(30_000)],
  ['up that does not enrol is told, and stays', risen(ENROL_MS, up), givesUp('did not enrol within 20 minutes')],
  ['up once and new after a rebuild is waited for', risen(0, fresh), waits(30_000)],
  ['up once and archived for a look is waited for', risen(0, archived), waits(30_000)],
  ['up once and without an address for a look is waited for', risen(ENROL_MS - 1, unaddressed), waits(30_000)],
  ['up once and new for too long is told, and stays', risen(ENROL_MS, fresh), givesUp('shows it as new')],
  ['up once and archived for too long is told, and stays', risen(ENROL_MS, archived), givesUp('shows it as archive')],
  [
    'up once and without an address for too long is told, and stays',
    risen(ENROL_MS, unaddressed),
    givesUp('shows it without an address'),
  ],
]

test.each(CASES)('a droplet that is %s', (_, given, step) => {
  expect(nextDropletStep(given)).toEqual(step)
})
