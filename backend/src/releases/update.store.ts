import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { UpdateRefusal } from '../store/schema/toolboxes.ts'
import { isPresent, type ToolboxRow } from '../toolboxes/toolbox.store.ts'

/** Of an update that somebody has asked for anew since, nothing is written. */
export const refuseUpdate = (tx: Tx, toolboxId: string, updateRefusal: UpdateRefusal) =>
  tx
    .update(toolboxes)
    .set({ updateRefusal })
    .where(and(eq(toolboxes.id, toolboxId), sql`${toolboxes.updateAsked}->>'attempt' = ${updateRefusal.attempt}`))

/** Toolboxes whose update DTMA has neither taken up nor refused. */
export async function listAskedUpdates(tx: Tx): Promise<string[]> {
  const attempt = sql`${toolboxes.updateAsked}->>'attempt'`
  const rows = await tx
    .select({ id: toolboxes.id })
    .from(toolboxes)
    .where(
      and(
        isPresent(),
        isNotNull(toolboxes.updateAsked),
        sql`${toolboxes.updateState}->>'attempt' is distinct from ${attempt}`,
        sql`${toolboxes.updateRefusal}->>'attempt' is distinct from ${attempt}`,
      ),
    )
  return rows.map(({ id }) => id)
}

/** Unless DTMA has taken it up since. */
export const withdrawUnsent = (tx: Tx, toolboxId: string, attempt: string) =>
  tx
    .update(toolboxes)
    .set({ updateAsked: null })
    .where(
      and(
        eq(toolboxes.id, toolboxId),
        sql`${toolboxes.updateAsked}->>'attempt' = ${attempt}`,
        sql`${toolboxes.updateState}->>'attempt' is distinct from ${attempt}`,
      ),
    )

export const listPresentOf = (tx: Tx, accountId: string): Promise<ToolboxRow[]> =>
  tx
    .select()
    .from(toolboxes)
    .where(and(eq(toolboxes.accountId, accountId), isPresent()))
    .orderBy(toolboxes.createdAt, toolboxes.id)

/** The toolboxes of the account that are not on their way out. */
export const listPresent = (tx: Tx): Promise<ToolboxRow[]> => tx.select().from(toolboxes).where(isPresent())
