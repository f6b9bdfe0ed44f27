import { isOver } from '@agentopia/dtma/contract'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

export type UpdateFacts = Pick<ToolboxRow, 'desired' | 'updateAsked' | 'updateState' | 'updateRefusal'>

/** What the control plane does next for an update. */
export type UpdateStep =
  /** Nothing: none was asked for, it is over, or it was refused or given up. */
  | 'settled'
  /** Send the release to DTMA. */
  | 'send'
  /** DTMA has taken it up and reports by itself. */
  | 'follow'

/**
 * A DTMA gives up what it cannot fetch and prove well within this time, in milliseconds; one that has not said by then how it
 * ended is not waited for any longer.
 */
export const LONGEST_MS = 60 * 60_000

/** Decides; touches nothing. */
export function nextStep(row: UpdateFacts): UpdateStep {
  if (row.desired === 'absent') return 'settled'
  if (isUnsent(row)) return 'send'
  return isFollowed(row) ? 'follow' : 'settled'
}

/** Whether one is not over yet: nothing else is begun beside it. One that was given up holds up nothing, whatever is said of it later. */
export const isUnderWay = (row: UpdateFacts): boolean => nextStep(row) !== 'settled'

/** Which one that is, of a row that has one under way. */
export const attemptOf = (row: UpdateFacts): string =>
  nextStep(row) === 'send' ? row.updateAsked!.attempt : row.updateState!.attempt

/** DTMA has neither taken it up nor refused it. */
function isUnsent({ updateAsked, updateState, updateRefusal }: UpdateFacts): boolean {
  if (!updateAsked) return false
  const { attempt } = updateAsked
  return updateState?.attempt !== attempt && updateRefusal?.attempt !== attempt
}

/** What DTMA is at counts, unless something else was asked for since: that one alone counts then. */
function isFollowed({ updateAsked, updateState, updateRefusal }: UpdateFacts): boolean {
  if (!updateState || isOver(updateState.phase)) return false
  const { attempt } = updateState
  return (!updateAsked || updateAsked.attempt === attempt) && updateRefusal?.attempt !== attempt
}
