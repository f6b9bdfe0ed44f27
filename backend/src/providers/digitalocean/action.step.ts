import type { DropletActionKind, NewDropletAction, ToolboxStatus } from '@agentopia/api'
import type { ActionRecord } from '../../store/schema/droplet-actions.ts'
import type { Action } from './api.types.ts'
import { LIST_LAG_MS, LOOKS_BEFORE_ASKING_AGAIN } from './droplet.step.ts'

/** What DigitalOcean is asked for, or what is waited for, one after the other. */
const STAGES = {
  reboot: ['reboot'],
  power_cycle: ['power_cycle'],
  power_off: ['shutdown', 'power_off'], // by force, when it does not go in order
  power_on: ['power_on'],
  resize: ['shutdown', 'power_off', 'resize', 'power_on'],
  rebuild: ['rebuild', 'enrol'],
  snapshot: ['snapshot'],
  assign_reserved_ip: ['reserve'],
  release_reserved_ip: ['release'],
} as const satisfies Record<DropletActionKind, readonly string[]>
export type Stage = (typeof STAGES)[DropletActionKind][number]

export const stageOf = (kind: DropletActionKind, { stage }: Pick<ActionRecord, 'stage'>): Stage | undefined =>
  STAGES[kind][stage]

/** What the next step is decided from. */
export interface ActionFacts {
  readonly request: NewDropletAction
  readonly record: ActionRecord
  /** The toolbox is to end. */
  readonly leaving: boolean
  readonly status: ToolboxStatus
  /** How often the toolbox has enrolled. */
  readonly enrolEpoch: number
  /** Absent: there is none any more. */
  readonly droplet?: { readonly status: 'new' | 'active' | 'off' | 'archive'; readonly size: string }
  /** What DigitalOcean did with the droplet, as far as it was looked at. */
  readonly actions: readonly Action[]
  /** A snapshot of the wanted name is there. */
  readonly snapshotted: boolean
  /** The address that leads to the droplet, or that it had. */
  readonly reservedIp?: { readonly ip: string; readonly leadsHere: boolean }
  /** Milliseconds since the epoch. */
  readonly now: number
}

export type ActionStep =
  | { readonly kind: 'wait' }
  /** Ask the provider for the stage: the intent is written first. */
  | { readonly kind: 'ask' }
  /** Take this for the answer that was lost. */
  | { readonly kind: 'adopt'; readonly actionId: number }
  /** A look found nothing: count it, and look again. */
  | { readonly kind: 'count-look' }
  /** @property failed Why the stage failed; what follows puts things right. */
  | { readonly kind: 'next-stage'; readonly failed?: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'fail'; readonly reason: string }

const MINUTE = 60_000
const MOST_ATTEMPTS = 2

/** How long a stage may take, in milliseconds. */
const LIMITS_MS = {
  reboot: 10 * MINUTE,
  power_cycle: 10 * MINUTE,
  shutdown: 2 * MINUTE,
  power_off: 10 * MINUTE,
  power_on: 10 * MINUTE,
  resize: 60 * MINUTE,
  rebuild: 30 * MINUTE,
  enrol: 70 * MINUTE, // ended sooner, by the toolbox that gives up
  snapshot: 240 * MINUTE,
  reserve: 10 * MINUTE,
  release: 10 * MINUTE,
} as const satisfies Record<Stage, number>

/** Decides; touches nothing. The table of its cases is the test. */
export function nextActionStep(facts: ActionFacts): ActionStep {
  const { request, record, leaving, droplet, now } = facts
  const stage = stageOf(request.kind, record)
  if (stage === undefined) return record.failed === undefined ? { kind: 'done' } : fail(record.failed)
  if (leaving) return fail('The toolbox is being removed')
  if (!droplet) return fail('The droplet does not exist any more')
  if (isReached(stage, facts)) return { kind: 'next-stage' }
  if (stage === 'enrol') return stepOfEnrolment(facts)
  const late = record.begunAt !== undefined && now - Date.parse(record.begunAt) > LIMITS_MS[stage]
  if (late) return ended(stage, `DigitalOcean did not end it within ${LIMITS_MS[stage] / MINUTE} minutes (${stage})`)
  if (stage === 'release') return { kind: 'ask' } // each of its calls may be repeated
  return stage === 'reserve' ? stepWithoutAction(facts) : stepOfAction(stage, facts)
}

/** Is it so already, whoever did it? */
function isReached(
  stage: Stage,
  { request, record, droplet, snapshotted, reservedIp, ...facts }: ActionFacts,
): boolean {
  switch (stage) {
    case 'shutdown':
    case 'power_off':
      return droplet?.status === 'off'
    case 'power_on':
      return droplet?.status === 'active' || record.wasOff === true
    case 'resize':
      return request.kind === 'resize' && droplet?.size === request.size
    case 'snapshot':
      return snapshotted
    case 'reserve':
      return reservedIp?.leadsHere === true
    case 'release':
      return reservedIp === undefined
    case 'enrol':
      return facts.enrolEpoch > (record.epoch ?? 0)
    default:
      return false // a reboot is done when it was done
  }
}

function stepOfEnrolment({ status }: ActionFacts): ActionStep {
  if (status !== 'error_provisioning') return { kind: 'wait' }
  return fail('The droplet has a fresh disk, but DTMA did not enrol from it')
}

function stepOfAction(stage: Stage, facts: ActionFacts): ActionStep {
  const { record, actions } = facts
  if (record.providerActionId === undefined) return stepWithoutAction(facts)
  const action = actions.find(({ id }) => id === record.providerActionId)
  if (action?.status === 'errored') return ended(stage, `DigitalOcean tried, and failed (${stage})`)
  if (action?.status !== 'completed') return { kind: 'wait' }
  // What has a state of its own to show is done when it shows it.
  return stage === 'reboot' || stage === 'power_cycle' || stage === 'rebuild'
    ? { kind: 'next-stage' }
    : { kind: 'wait' }
}

/** Nothing is known to be under way: it was not asked for, or the answer was lost. */
function stepWithoutAction({ request, record, actions, now }: ActionFacts): ActionStep {
  if (record.attempts === 0 || record.outcome === 'refused') return { kind: 'ask' }
  const stage = stageOf(request.kind, record)
  const found = actions.find(({ id, type }) => type === stage && id > (record.after ?? 0))
  if (found) return { kind: 'adopt', actionId: found.id }
  const waited = record.askedAt === undefined ? Number.POSITIVE_INFINITY : now - Date.parse(record.askedAt)
  if (waited < LIST_LAG_MS || record.looks < LOOKS_BEFORE_ASKING_AGAIN) return { kind: 'count-look' }
  if (record.attempts < MOST_ATTEMPTS) return { kind: 'ask' }
  return ended(stage!, `It was asked for ${MOST_ATTEMPTS} times, and DigitalOcean shows no sign of it (${stage})`)
}

/** A stage that others make up for does not end the action. */
function ended(stage: Stage, reason: string): ActionStep {
  if (stage === 'shutdown') return { kind: 'next-stage' } // by force, then
  if (stage === 'resize') return { kind: 'next-stage', failed: reason } // it is powered on all the same
  return fail(reason)
}

const fail = (reason: string): ActionStep => ({ kind: 'fail', reason })

const SOONEST_MS = 1_500
const LATEST_MS = 15_000

/** How long until the next look: ever longer, and never at the same moment as others. @param random 0 to 1. */
export function pauseMs(looks: number, random: number): number {
  const full = Math.min(SOONEST_MS * 1.5 ** Math.min(looks, 12), LATEST_MS)
  return Math.round(full * (0.75 + random / 2))
}
