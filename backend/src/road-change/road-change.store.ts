import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { RoadProgress } from '../store/schema/toolboxes.ts'
import { isPresent, type ToolboxRow } from '../toolboxes/toolbox.store.ts'

/** What changes with the phase: by which road it is reached from now on. */
export interface RoadColumns {
  readonly direct?: ToolboxRow['direct']
  /** Its key, learned over the road before; one that is known since an enrolment stays. */
  readonly publicKey?: string | null
}

/**
 * Goes on to another phase, from the phase that was seen.
 * @returns false when somebody else has gone on meanwhile, or asked anew: nothing was written then.
 */
export async function moveRoad(
  tx: Tx,
  seen: Pick<ToolboxRow, 'id' | 'roadProgress'>,
  progress: RoadProgress,
  { publicKey, ...columns }: RoadColumns = {},
): Promise<boolean> {
  const before = seen.roadProgress?.attempt === progress.attempt ? seen.roadProgress.phase : null
  const present = sql`case when ${toolboxes.roadProgress}->>'attempt' = ${progress.attempt} then ${toolboxes.roadProgress}->>'phase' end`
  const written = await tx
    .update(toolboxes)
    .set({
      roadProgress: progress,
      ...columns,
      ...(publicKey ? { publicKey: sql`coalesce(${toolboxes.publicKey}, ${publicKey})` } : {}),
    })
    .where(
      and(
        eq(toolboxes.id, seen.id),
        isPresent(),
        sql`${toolboxes.roadAsked}->>'attempt' = ${progress.attempt}`,
        sql`${present} is not distinct from ${before}`,
      ),
    )
    .returning({ id: toolboxes.id })
  return written.length === 1
}

/** Toolboxes whose road is being changed. */
export async function listRoadChanges(tx: Tx): Promise<string[]> {
  const [asked, progress] = [toolboxes.roadAsked, toolboxes.roadProgress]
  const rows = await tx
    .select({ id: toolboxes.id })
    .from(toolboxes)
    .where(
      and(
        isPresent(),
        isNotNull(asked),
        sql`(${progress}->>'attempt' is distinct from ${asked}->>'attempt' or ${progress}->>'phase' not in ('done', 'failed'))`,
      ),
    )
  return rows.map(({ id }) => id)
}
