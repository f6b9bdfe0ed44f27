import type { Road, RoadChange } from '@agentopia/api'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

export type RoadFacts = Pick<ToolboxRow, 'desired' | 'direct' | 'roadAsked' | 'roadProgress'>

/** The road that is in use. */
export const roadOf = ({ direct }: Pick<RoadFacts, 'direct'>): Road => (direct ? 'direct' : 'tunnel')

/** How far the last change of the road is; `undefined`: none was asked for. */
function phaseOf({ roadAsked: asked, roadProgress: progress }: RoadFacts): RoadChange['phase'] | undefined {
  if (!asked) return undefined
  return progress?.attempt === asked.attempt ? progress.phase : 'asked'
}

/** Whether one was asked for and its end is open. One that is being undone has failed: another may be asked for, and makes good what is left of it. */
export function isChanging(row: RoadFacts): boolean {
  const phase = phaseOf(row)
  return phase === 'asked' || phase === 'trying' || phase === 'closing'
}

export type RoadStep =
  /** Open the new road beside the one that is in use, and see whether DTMA answers there. */
  | 'try'
  /** The new one is in use: let the calls on the one before end, then close that. */
  | 'close'
  /** The new one did not come up: close it. */
  | 'undo'
  | 'settled'

/** What the control plane does next. Decides; touches nothing. */
export function nextStep(row: RoadFacts): RoadStep {
  if (row.desired === 'absent') return 'settled'
  switch (phaseOf(row)) {
    case 'asked':
    case 'trying':
      return 'try'
    case 'closing':
      return 'close'
    case 'undoing':
      return 'undo'
    default:
      return 'settled'
  }
}

/** Why the new road is not the one to use. */
export interface RoadFailure {
  /** A code: `refused`, `no_connection`, `pin_mismatch` … */
  readonly reason: string
  readonly message: string
  readonly evidence: readonly string[]
  readonly nextStep: string
  /** Trying again shows nothing new. */
  readonly isFinal: boolean
}

/** For so long the new road may take to come up, in milliseconds. */
export const TRIAL_MS = 45_000
/** For so long calls on the road before may take to end, in milliseconds; then they are cut. */
export const LAST_CALLS_MS = 30_000
/** So long whoever remembers the road before for its next call may take to hear of the new one, in milliseconds. */
export const HEARD_MS = 1_000

/** What follows from one try. @param triedMs For how long this control plane has tried. */
export function afterTry(failure: RoadFailure | undefined, triedMs: number): 'use' | 'again' | 'give-up' {
  if (!failure) return 'use'
  return failure.isFinal || triedMs >= TRIAL_MS ? 'give-up' : 'again'
}

export interface ClosingFacts {
  /** Requests on the road before that have no whole answer yet. */
  readonly inFlight: number
  /** For how long this control plane has been at it. */
  readonly closingMs: number
  /** DTMA was asked over the new road to close the one before, and that failed. */
  readonly failed?: boolean
}

/** What follows while the road before is closed. A new one that is lost again before that is given up: the one before is open still. */
export function whileClosing({ inFlight, closingMs, failed = false }: ClosingFacts): 'wait' | 'tell' | 'go-back' {
  if (failed) return closingMs >= LAST_CALLS_MS + TRIAL_MS ? 'go-back' : 'wait'
  if (closingMs < HEARD_MS) return 'wait'
  return inFlight > 0 && closingMs < LAST_CALLS_MS ? 'wait' : 'tell'
}

/**
 * What follows when the firewall of its machine could not be shut: DTMA has closed its port already, so nobody gets an answer there.
 * @param isFinal Trying again ends the same. @param closingMs For how long this control plane has been at it.
 */
export const afterUnshut = (isFinal: boolean, closingMs: number): 'again' | 'leave' =>
  isFinal || closingMs >= LAST_CALLS_MS + TRIAL_MS ? 'leave' : 'again'

/** What people see of it. */
export function roadChangeOf(row: RoadFacts): RoadChange | undefined {
  const phase = phaseOf(row)
  if (!phase) return undefined
  const { roadAsked: asked, roadProgress: progress } = row
  const failure = phase === 'asked' ? undefined : progress?.failure
  const open = phase === 'undoing' ? (progress?.open ?? []) : []
  const evidence = [...(failure?.evidence ?? []), ...open]
  return {
    to: asked!.road,
    phase,
    askedAt: asked!.askedAt,
    ...failure,
    ...(failure || open.length > 0 ? { evidence } : {}),
  }
}
