import { and, eq, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Tx } from './connect.ts'
import { agentTools, type connections, type dropletActions, groups, instances, type toolboxes } from './schema/index.ts'

/** Tables whose rows are worked on by one replica at a time. */
export type Leased =
  | typeof toolboxes
  | typeof instances
  | typeof groups
  | typeof agentTools
  | typeof connections
  | typeof dropletActions

const LEASE_SECONDS = 30

/**
 * Claims a row for `owner`, for 30 s by the database's clock. Every write of the work carries the epoch ({@link heldBy}).
 * @returns The epoch, or `undefined` while another owner holds the row.
 */
export async function claim(tx: Tx, table: Leased, id: string, owner: string): Promise<number | undefined> {
  const [row] = await tx
    .update(table)
    .set({
      leaseOwner: owner,
      leaseUntil: sql`clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})`,
      leaseEpoch: sql`${table.leaseEpoch} + 1`,
    })
    .where(
      and(
        eq(table.id, id),
        or(isNull(table.leaseUntil), lt(table.leaseUntil, sql`clock_timestamp()`), eq(table.leaseOwner, owner)),
      ),
    )
    .returning({ epoch: table.leaseEpoch })
  return row?.epoch
}

/** The condition that makes a late write of an earlier holder meet no row. */
export const heldBy = (table: Leased, id: string, epoch: number): SQL =>
  and(eq(table.id, id), eq(table.leaseEpoch, epoch))!

/** Gives a row back early; a lease that was lost meanwhile is left alone. */
export const release = async (tx: Tx, table: Leased, id: string, epoch: number): Promise<void> => {
  await tx
    .update(table)
    .set({ leaseOwner: null, leaseUntil: null })
    .where(heldBy(table, id, epoch))
}

/** What is done under these is asked of a toolbox, by generation: what comes from a holder that is gone comes too late, and changes nothing. */
const ASKED_OF_TOOLBOXES = [instances, groups, agentTools] as const

/**
 * Gives back what control planes held that were killed, before its time; for whoever has the database for itself. What is asked of others
 * than toolboxes stays held: a droplet that was asked for may not be on any list yet.
 */
export async function releaseAbandoned(tx: Tx): Promise<void> {
  for (const table of ASKED_OF_TOOLBOXES)
    await tx
      .update(table)
      .set({ leaseOwner: null, leaseUntil: null, leaseEpoch: sql`${table.leaseEpoch} + 1` })
      .where(isNotNull(table.leaseOwner))
}
