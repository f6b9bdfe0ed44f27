import { isOver } from '@agentopia/dtma/contract'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

export type UpdateFacts = Pick<ToolboxRow, 'desired' | 'updateAsked' | 'updateState' | 'updateRefusal'>

/** What the control plane does next for an update that was asked for. */
export type UpdateStep =
  /** Nothing: none was asked for, it was refused, or DTMA has taken it up and reports by itself. */
  | 'settled'
  /** Send the release to DTMA. */
  | 'send'

/** Decides; touches nothing. */
export function nextStep({ desired, updateAsked, updateState, updateRefusal }: UpdateFacts): UpdateStep {
  if (desired === 'absent' || !updateAsked) return 'settled'
  const { attempt } = updateAsked
  return updateState?.attempt === attempt || updateRefusal?.attempt === attempt ? 'settled' : 'send'
}

/** Whether an update was asked for and is not over yet. */
export const isUnderWay = (row: UpdateFacts): boolean =>
  nextStep(row) === 'send' || (row.updateState != null && !isOver(row.updateState.phase))
