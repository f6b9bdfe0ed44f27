import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

/** What a renewal says, when its signature is good: so it comes from a holder of the identity. */
export interface RenewalAsked {
  readonly epoch: number
  readonly counter: number
  readonly attempt: string
  readonly runId: string
}

export type RenewalVerdict =
  /** The next one. */
  | 'next'
  /** One whose reply was lost. */
  | 'again'
  /** Of an earlier enrolment: whoever enrolled since has another identity. */
  | 'outdated'
  /** Somebody else has renewed since, or runs beside the sender: there are two holders of one identity. */
  | 'second-holder'

export type RenewalFacts = Pick<ToolboxRow, 'enrolEpoch' | 'renewals' | 'supersededRuns'> & {
  readonly renewal: Pick<NonNullable<ToolboxRow['renewal']>, 'attempt'> | null
}

/**
 * Decides; touches nothing. A count above ours is no second holder: then it is our database that was restored. A run that
 * another one has replaced is dead, unless there are two machines: one state directory never has two processes.
 */
export function judgeRenewal(row: RenewalFacts, asked: RenewalAsked): RenewalVerdict {
  if (asked.epoch !== row.enrolEpoch) return 'outdated'
  if (row.supersededRuns.includes(asked.runId)) return 'second-holder'
  if (asked.counter >= row.renewals) return 'next'
  return asked.counter === row.renewals - 1 && asked.attempt === row.renewal?.attempt ? 'again' : 'second-holder'
}
