import { isOver, UpdatePhase } from '@agentopia/dtma/contract'
import { and, eq, isNotNull, isNull, or, sql } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { UpdateRefusal } from '../store/schema/toolboxes.ts'
import { isPresent, lockToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { givenUp } from './update.give-up.ts'
import { attemptOf, isUnderWay } from './update.step.ts'

/** Of an update that somebody has asked for anew since, nothing is written. */
export const refuseUpdate = (tx: Tx, toolboxId: string, updateRefusal: UpdateRefusal) =>
  tx
    .update(toolboxes)
    .set({ updateRefusal })
    .where(and(eq(toolboxes.id, toolboxId), sql`${toolboxes.updateAsked}->>'attempt' = ${updateRefusal.attempt}`))

/** An attempt that is still under way is not waited for any longer, and people are told. What DTMA says of it later is shown all the same. */
export async function giveUpUpdate(tx: Tx, toolboxId: string, attempt: string, at: Date): Promise<void> {
  const row = await lockToolbox(tx, toolboxId)
  if (!row || !isUnderWay(row) || attemptOf(row) !== attempt) return
  const updateRefusal = givenUp(row, at)
  await tx.update(toolboxes).set({ updateRefusal }).where(eq(toolboxes.id, toolboxId))
  await recordActivity(tx, {
    accountId: row.accountId,
    actor: 'control plane',
    action: 'toolbox.update-given-up',
    subject: toolboxId,
    toolboxId,
    message: `The update of DTMA of ${row.name} was given up. ${updateRefusal.message}`,
  })
}

/** Toolboxes with an update under way. */
export async function listUpdatesUnderWay(tx: Tx): Promise<string[]> {
  const { updateAsked, updateState, updateRefusal } = toolboxes
  const [asked, taken, refused] = [updateAsked, updateState, updateRefusal].map((column) => sql`${column}->>'attempt'`)
  const unsent = and(
    isNotNull(updateAsked),
    sql`${taken} is distinct from ${asked}`,
    sql`${refused} is distinct from ${asked}`,
  )
  const followed = and(
    isNotNull(updateState),
    sql`${updateState}->>'phase' not in ${OVER}`,
    or(isNull(updateAsked), sql`${asked} = ${taken}`),
    sql`${refused} is distinct from ${taken}`,
  )
  const rows = await tx
    .select({ id: toolboxes.id })
    .from(toolboxes)
    .where(and(isPresent(), or(unsent, followed)))
  return rows.map(({ id }) => id)
}

const OVER = UpdatePhase.options.filter(isOver)

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
