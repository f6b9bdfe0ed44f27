import type { ToolboxStatus } from '@agentopia/api'
import type { ProvisioningRecord } from '../../store/schema/toolboxes.ts'

/** A droplet with the tag of the toolbox. */
export interface SeenDroplet {
  readonly id: number
  readonly status: 'new' | 'active' | 'off' | 'archive'
  /** Public IPv4 address; it may come later than the status says. */
  readonly address?: string
}

/** What the next step is decided from. The droplets are all that there are: found by tag, and by the id that is known. */
export interface DropletFacts {
  readonly desired: 'present' | 'absent'
  readonly status: ToolboxStatus
  readonly droplets: readonly SeenDroplet[]
  /** The droplet that was taken as this toolbox's. */
  readonly ownId?: number
  readonly record: ProvisioningRecord
  /** The toolbox has a reserved address. */
  readonly hasAddress: boolean
  /** Of the row: more than the record's means that somebody asked to try again. */
  readonly retries: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

export type DropletStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'wait'; readonly ms: number }
  /** As `wait`, for somebody who powers it on. */
  | { readonly kind: 'wait-for-power'; readonly id: number; readonly ms: number }
  /** Ask for a droplet: the intent is written first. */
  | { readonly kind: 'ask' }
  /** A look found nothing: count it, and look again. */
  | { readonly kind: 'count-empty'; readonly ms: number }
  /** It runs and has an address. */
  | { readonly kind: 'adopt'; readonly droplet: SeenDroplet }
  /** It is adopted: let the reserved address of the toolbox lead to it. */
  | { readonly kind: 'assign-address'; readonly id: number }
  | { readonly kind: 'destroy'; readonly ids: readonly number[] }
  /** Nothing is left of an earlier try: begin anew. */
  | { readonly kind: 'begin-anew' }
  /** @property remains The droplet is there still: it costs, and may come after all. */
  | {
      readonly kind: 'give-up'
      readonly reason: string
      readonly destroy: readonly number[]
      readonly remains: boolean
    }
  /** It was up, and is gone: whoever destroyed it may have meant it, so none is made instead. */
  | { readonly kind: 'lost' }
  /** Nothing is left: the toolbox is deprovisioned. */
  | { readonly kind: 'gone' }

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** After an answer that was lost, the list may lag: so long, and so many looks, before asking again. */
export const LIST_LAG_MS = MINUTE
export const LOOKS_BEFORE_ASKING_AGAIN = 5
const MOST_ATTEMPTS = 2
/** Gone is what two looks in a row did not find. */
const LOOKS_BEFORE_GONE = 2
/** A droplet that does not come up costs money all the same. */
export const UP_MS = 30 * MINUTE
/** From address, fresh disk or a late enrolment to the first heartbeat: Docker and the image have to come. */
export const ENROL_MS = 20 * MINUTE

const EARLY: readonly ToolboxStatus[] = ['pending_provision', 'provisioning', 'awaiting_heartbeat']
const NONE: DropletStep = { kind: 'none' }

/** Decides; touches nothing. The table of its cases is the test. */
export function nextDropletStep(facts: DropletFacts): DropletStep {
  const { desired, status, record, retries } = facts
  if (status === 'deprovisioned') return NONE
  if (desired === 'absent') return towardsNothing(facts, { kind: 'gone' })
  if (retries > record.retry) return towardsNothing(facts, { kind: 'begin-anew' })
  const own = ownOf(facts)
  if (!EARLY.includes(status))
    return own && own.id === facts.ownId && owesAddress(facts) ? { kind: 'assign-address', id: own.id } : NONE
  return own ? stepOfDroplet(own, facts) : stepWithout(facts)
}

/** The known one, else the oldest: the sweep takes the others away. */
const ownOf = ({ droplets, ownId }: DropletFacts): SeenDroplet | undefined =>
  droplets.find(({ id }) => id === ownId) ?? [...droplets].sort((a, b) => a.id - b.id)[0]

function towardsNothing({ droplets, record, now }: DropletFacts, then: DropletStep): DropletStep {
  if (droplets.length > 0) return { kind: 'destroy', ids: droplets.map(({ id }) => id) }
  // The answer to a create may be under way: what it makes would be nobody's.
  const inFlight = record.outcome === 'unknown' && sinceAsked(record, now) < LIST_LAG_MS
  if (inFlight) return { kind: 'count-empty', ms: 10 * SECOND }
  if (record.attempts > 0 && record.emptyLooks < LOOKS_BEFORE_GONE) return { kind: 'count-empty', ms: 2 * SECOND }
  return then
}

/** The address that the toolbox had is to lead to the droplet that it has now. */
export const owesAddress = ({ status, record, hasAddress, ownId }: Omit<DropletFacts, 'droplets' | 'now'>): boolean =>
  hasAddress &&
  record.addressTries !== undefined &&
  record.upSince !== undefined &&
  ownId !== undefined &&
  status !== 'lost'

function stepOfDroplet(own: SeenDroplet, facts: DropletFacts): DropletStep {
  const { record, ownId, status, now } = facts
  const isUp = own.status === 'active' && own.address !== undefined
  if (isUp && (status !== 'awaiting_heartbeat' || ownId !== own.id || !record.upSince))
    return { kind: 'adopt', droplet: own }
  const upMs = record.upSince === undefined ? undefined : now - Date.parse(record.upSince)
  const waited = sinceAsked(record, now)
  if (own.status === 'off') return stepOfOff(own, upMs === undefined ? waited >= UP_MS : upMs >= ENROL_MS)
  if (isUp && upMs !== undefined && upMs < ENROL_MS && owesAddress(facts)) return { kind: 'assign-address', id: own.id }
  if (upMs !== undefined) return stepOfRisen(own, upMs)
  if (waited < UP_MS) return { kind: 'wait', ms: waited < MINUTE ? 2 * SECOND : 15 * SECOND }
  const reason = `The droplet was not up within ${UP_MS / MINUTE} minutes, and was destroyed`
  return { kind: 'give-up', reason, destroy: [own.id], remains: false }
}

/** Somebody switched it off: that is no reason to destroy it. */
const stepOfOff = ({ id }: SeenDroplet, isLate: boolean): DropletStep =>
  isLate
    ? giveUp(
        `Try again with another droplet, or remove the toolbox: the droplet ${id} is powered off, costs as much all the same, and DTMA did not enrol in time`,
      )
    : { kind: 'wait-for-power', id, ms: 30 * SECOND }

/** It was up, so something may be on it, and a rebuild shows it as new for a moment: it is never destroyed for how it looks. */
function stepOfRisen({ status, address }: SeenDroplet, upMs: number): DropletStep {
  if (upMs < ENROL_MS) return { kind: 'wait', ms: 30 * SECOND }
  const late = `DTMA did not enrol within ${ENROL_MS / MINUTE} minutes`
  if (status !== 'active') return giveUp(`The droplet was up, but ${late}: DigitalOcean shows it as ${status}`)
  if (address === undefined) return giveUp(`The droplet was up, but ${late}: DigitalOcean shows it without an address`)
  return giveUp(`The droplet runs, but ${late}`)
}

function stepWithout({ record, status, now }: DropletFacts): DropletStep {
  if (record.attempts === 0 || record.outcome === 'refused') return { kind: 'ask' }
  const waited = sinceAsked(record, now) >= LIST_LAG_MS && record.emptyLooks >= LOOKS_BEFORE_ASKING_AGAIN
  if (!waited) return { kind: 'count-empty', ms: record.emptyLooks < 2 ? 3 * SECOND : 15 * SECOND }
  if (status === 'awaiting_heartbeat' && record.upSince !== undefined) return { kind: 'lost' }
  if (record.attempts < MOST_ATTEMPTS) return { kind: 'ask' }
  const reason = `A droplet was asked for ${MOST_ATTEMPTS} times, and none came: look at the account at DigitalOcean`
  return { kind: 'give-up', reason, destroy: [], remains: false }
}

const giveUp = (reason: string): DropletStep => ({ kind: 'give-up', reason, destroy: [], remains: true })

const sinceAsked = ({ askedAt }: ProvisioningRecord, now: number): number =>
  askedAt === undefined ? Number.POSITIVE_INFINITY : now - Date.parse(askedAt)
