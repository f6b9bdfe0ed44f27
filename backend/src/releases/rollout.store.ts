import { and, desc, eq, isNull } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { rollouts } from '../store/schema/index.ts'
import type { RolloutRow } from './rollout.members.ts'

const MOST_SHOWN = 10

export async function insertRollout(tx: Tx, values: typeof rollouts.$inferInsert): Promise<RolloutRow | undefined> {
  const [row] = await tx.insert(rollouts).values(values).onConflictDoNothing().returning()
  return row
}

/** The one that is running or halted. */
export async function openRolloutOf(tx: Tx, accountId: string): Promise<RolloutRow | undefined> {
  const [row] = await tx
    .select()
    .from(rollouts)
    .where(and(eq(rollouts.accountId, accountId), isNull(rollouts.endedAt)))
  return row
}

/** Held until the transaction ends: one decides at a time, whichever replica it is. */
export async function holdRollout(tx: Tx, id: string): Promise<RolloutRow | undefined> {
  const [row] = await tx.select().from(rollouts).where(eq(rollouts.id, id)).for('update')
  return row
}

/** Newest first. */
export const lastRollouts = (tx: Tx): Promise<RolloutRow[]> =>
  tx.select().from(rollouts).orderBy(desc(rollouts.createdAt), desc(rollouts.id)).limit(MOST_SHOWN)

export async function listRunning(tx: Tx): Promise<string[]> {
  const rows = await tx.select({ id: rollouts.id }).from(rollouts).where(eq(rollouts.state, 'running'))
  return rows.map(({ id }) => id)
}

export async function changeRollout(
  tx: Tx,
  id: string,
  change: Partial<Pick<RolloutRow, 'state' | 'reason' | 'forgiven' | 'endedAt'>>,
): Promise<RolloutRow> {
  const [row] = await tx.update(rollouts).set(change).where(eq(rollouts.id, id)).returning()
  return row!
}
