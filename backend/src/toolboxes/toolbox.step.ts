import type { ToolboxStatus } from '@agentopia/api'
import type { Machine } from '../providers/provider.ts'
import { endedOnPurpose } from './diagnose.ts'

/** What the next step is decided from. */
export interface ToolboxFacts {
  readonly desired: 'present' | 'absent'
  readonly status: ToolboxStatus
  /** Absent when the provider has none. */
  readonly machine?: Machine
  /** Until when the last unused enrolment token is good; absent when there is none. Milliseconds since the epoch. */
  readonly tokenExpiresAt?: number
  /** This process has not started or seen the machine running yet: starting the product is asking for its machine. */
  readonly firstLook: boolean
  readonly now: number
}

export type ToolboxStep =
  /** Nothing, until something changes. */
  | { readonly kind: 'none' }
  /** Nothing for so long. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Make the machine, or replace one of an old recipe. */
  | { readonly kind: 'create' }
  | { readonly kind: 'start' }
  /** The machine runs: say that its first heartbeat is awaited. */
  | { readonly kind: 'await' }
  /** The machine waits with an enrolment token that has expired. */
  | { readonly kind: 'renew-token' }
  | { readonly kind: 'deprovision' }

/** A machine that was killed is left alone for so long: who did it may be watching. */
const KILLED_REST_MS = 60_000
const STARTING_MS = 5_000
const HEARTBEAT_MS = 15_000

const NONE: ToolboxStep = { kind: 'none' }
const LEFT_ALONE: readonly ToolboxStatus[] = [
  'quarantined',
  'resizing',
  'pending_deprovision',
  'deprovisioning',
  'deprovisioned',
  'error_deprovisioning',
]

/** Decides; touches nothing. The table of its cases is the test. */
export function nextStep(facts: ToolboxFacts): ToolboxStep {
  const { desired, status, machine, firstLook } = facts
  if (status === 'deprovisioned') return NONE
  if (desired === 'absent') return { kind: 'deprovision' }
  if (LEFT_ALONE.includes(status)) return NONE
  if (!machine) return { kind: 'create' }
  if (machine.state === 'paused') return NONE // a person did that, and only a person undoes it
  if (machine.state === 'stopped') return stepOfStopped(machine, firstLook, facts.now)
  if (!machine.current) return { kind: 'create' }
  if (machine.state === 'creating') return { kind: 'wait', ms: STARTING_MS }
  return stepOfRunning(facts)
}

/**
 * Docker itself brings DTMA back after a crash or a reboot, so a container that stays down was stopped by somebody.
 * An orderly stop is respected until the product is started again; a killed one comes back after a while.
 */
function stepOfStopped(machine: Machine, firstLook: boolean, now: number): ToolboxStep {
  if (firstLook) return machine.current ? { kind: 'start' } : { kind: 'create' }
  if (endedOnPurpose(machine)) return NONE
  const rest = (machine.exit?.at.getTime() ?? now) + KILLED_REST_MS - now
  if (rest > 0) return { kind: 'wait', ms: rest }
  return machine.current ? { kind: 'start' } : { kind: 'create' }
}

function stepOfRunning({ status, tokenExpiresAt, now }: ToolboxFacts): ToolboxStep {
  if (status === 'active' || status === 'unresponsive') return NONE
  if (status !== 'awaiting_heartbeat') return { kind: 'await' }
  return (tokenExpiresAt ?? 0) <= now ? { kind: 'renew-token' } : { kind: 'wait', ms: HEARTBEAT_MS }
}
