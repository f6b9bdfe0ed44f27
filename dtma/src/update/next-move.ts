import type { UpdateReason } from '../contract/release.ts'
import { isComplete, type Proof, type UpdateJournal } from './update.journal.ts'

/** One of the two places that a DTMA can be in: the one before, and the one that is to follow. */
export interface Slot {
  /** `restarting`: it has ended, and is about to be started again by whoever supervises it. */
  readonly state: 'running' | 'restarting' | 'stopped'
  /** How often it was started again after it had ended by itself. */
  readonly restarts: number
}

export interface UpdateFacts {
  readonly phase: UpdateJournal['phase']
  /** Absent: there is none. */
  readonly old?: Slot
  readonly next?: Slot
  /** Of this attempt. */
  readonly proof?: Proof
  /** How long this switcher has waited for the proof, in milliseconds. */
  readonly waitedMs: number
}

export type Move =
  | { readonly kind: 'make-next' | 'stop-old' | 'start-next' | 'remove-old' | 'remove-next' | 'start-old' }
  /** Go on to another phase. */
  | { readonly kind: 'enter'; readonly phase: 'proving' | 'accepted' }
  | { readonly kind: 'fall-back'; readonly reason: UpdateReason; readonly message: string }
  | { readonly kind: 'finish'; readonly phase: 'done' | 'fell_back' }
  | { readonly kind: 'wait' }
  /** It is over, or it is not the switcher's yet. */
  | { readonly kind: 'leave' }

/** How long the new DTMA has to prove itself, in milliseconds. */
export const PROVE_MS = 120_000
/** It was started so often and ended each time: waiting longer shows nothing new. */
const MOST_RESTARTS = 3

/**
 * What the switcher does next. Each move may be repeated, and any two of them may have a crash between them: what is there
 * decides, not what was done last. The old one is stopped before the new one is started, and nothing is removed before the
 * other one is known to work: at the end exactly one is left.
 */
export function nextMove(facts: UpdateFacts): Move {
  switch (facts.phase) {
    case 'switching':
      return switching(facts)
    case 'proving':
      return proving(facts)
    case 'accepted':
      return accepted(facts)
    case 'falling_back':
      return fallingBack(facts)
    default:
      return { kind: 'leave' }
  }
}

function switching({ old, next }: UpdateFacts): Move {
  if (!next) return { kind: 'make-next' }
  if (old && old.state !== 'stopped') return { kind: 'stop-old' }
  if (next.state === 'stopped') return { kind: 'start-next' }
  return { kind: 'enter', phase: 'proving' }
}

function proving({ old, next, proof, waitedMs }: UpdateFacts): Move {
  if (!next) return { kind: 'fall-back', reason: 'does_not_start', message: 'Somebody has removed the new DTMA' }
  if (old && old.state !== 'stopped') return { kind: 'stop-old' } // the machine was restarted: both came back
  if (next.state === 'running' && proof && isComplete(proof)) return { kind: 'enter', phase: 'accepted' }
  if (next.restarts >= MOST_RESTARTS)
    return { kind: 'fall-back', reason: 'crash_loop', message: `The new DTMA ended ${next.restarts} times` }
  if (waitedMs > PROVE_MS) return { kind: 'fall-back', ...lacking(next, proof) }
  return next.state === 'stopped' ? { kind: 'start-next' } : { kind: 'wait' }
}

function accepted({ old, next }: UpdateFacts): Move {
  if (!old) return { kind: 'finish', phase: 'done' }
  if (!next) return { kind: 'fall-back', reason: 'does_not_start', message: 'Somebody has removed the new DTMA' }
  return { kind: 'remove-old' }
}

function fallingBack({ old, next }: UpdateFacts): Move {
  if (!old) return next ? { kind: 'enter', phase: 'accepted' } : { kind: 'finish', phase: 'fell_back' } // nothing to go back to
  if (next) return { kind: 'remove-next' } // first: it would hold the state directory
  if (old.state === 'stopped') return { kind: 'start-old' }
  return { kind: 'finish', phase: 'fell_back' }
}

/** What the new one has not shown, the first of it. */
function lacking(next: Slot, proof: Proof | undefined): { readonly reason: UpdateReason; readonly message: string } {
  const within = `within ${PROVE_MS / 1_000} s`
  if (next.state !== 'running' || !proof)
    return { reason: 'does_not_start', message: `The new DTMA gave no sign of itself ${within}` }
  if (!proof.docker) return { reason: 'docker_unreachable', message: `The new DTMA did not reach Docker ${within}` }
  if (!proof.heard)
    return { reason: 'no_heartbeat', message: `The control plane did not accept a heartbeat of the new DTMA ${within}` }
  return { reason: 'isolation_unproven', message: `The new DTMA could not prove that tools are kept apart ${within}` }
}
