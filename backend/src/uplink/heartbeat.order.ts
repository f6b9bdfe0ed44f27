import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

/** How a heartbeat relates to those that were counted before it. */
export type BeatOrder =
  /** The next one of the run that reports. */
  | 'next'
  /** The first one counted of a run that was not known: it takes over. */
  | 'new-run'
  /** Repeated, or overtaken by a later one: it says nothing new. */
  | 'late'
  /** Of a run that a newer one has replaced. */
  | 'superseded'

/** Order is by (enrolment, run, sequence); the enrolment is the credential itself. The sender's clock plays no part. */
export function orderOf(
  row: Pick<ToolboxRow, 'runId' | 'heartbeatSeq' | 'supersededRuns'>,
  beat: { readonly runId: string; readonly seq: number },
): BeatOrder {
  if (row.supersededRuns.includes(beat.runId)) return 'superseded'
  if (row.runId !== beat.runId) return 'new-run'
  return beat.seq > row.heartbeatSeq ? 'next' : 'late'
}

const REMEMBERED_RUNS = 16

/** The replaced runs after `replaced` was replaced too; newest first, a bounded number. */
export const withSuperseded = (runs: readonly string[], replaced: string | null): string[] =>
  replaced === null ? [...runs] : [replaced, ...runs].slice(0, REMEMBERED_RUNS)
