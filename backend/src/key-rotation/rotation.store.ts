import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import { digestOf } from '../secret.ts'
import type { Tx } from '../store/connect.ts'
import { enrolmentTokens, toolboxes } from '../store/schema/index.ts'
import type { KeyRotationRefusal } from '../store/schema/toolboxes.ts'
import { isPresent, lockToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { givenUp, nextStep } from './rotation.step.ts'

/** How long a token that was handed to DTMA may be used, in milliseconds, from the last time that it was handed over. */
const TTL_MS = 5 * 60_000

/** Of a rotation that somebody has asked for anew since, nothing is written. */
export const refuseRotation = (tx: Tx, toolboxId: string, keyRotationRefusal: KeyRotationRefusal) =>
  tx
    .update(toolboxes)
    .set({ keyRotationRefusal })
    .where(
      and(eq(toolboxes.id, toolboxId), sql`${toolboxes.keyRotationAsked}->>'attempt' = ${keyRotationRefusal.attempt}`),
    )

/** An attempt that is still under way is not waited for any longer, and people are told. If DTMA enrols with its token after all, it is done. */
export async function giveUpRotation(tx: Tx, toolboxId: string, attempt: string, at: Date): Promise<void> {
  const row = await lockToolbox(tx, toolboxId)
  if (!row || nextStep(row) !== 'send' || row.keyRotationAsked!.attempt !== attempt) return
  const keyRotationRefusal = givenUp(row, at)
  await refuseRotation(tx, toolboxId, keyRotationRefusal)
  await recordActivity(tx, {
    accountId: row.accountId,
    actor: 'control plane',
    action: 'toolbox.rotation-given-up',
    subject: toolboxId,
    toolboxId,
    message: `Other keys of ${row.name} were given up. ${keyRotationRefusal.message}`,
  })
}

/**
 * Makes the token of an attempt good for some minutes, unless it was used. Others of the toolbox stay: a person may hold one.
 * @returns Whether it may be handed over: the attempt may be over meanwhile, or the toolbox locked out.
 */
export async function allowToken(
  tx: Tx,
  { id: toolboxId, accountId }: Pick<ToolboxRow, 'id' | 'accountId'>,
  token: string,
  now: Date,
): Promise<boolean> {
  const row = await lockToolbox(tx, toolboxId)
  if (!row || nextStep(row) !== 'send') return false
  const expiresAt = new Date(now.getTime() + TTL_MS)
  await tx
    .insert(enrolmentTokens)
    .values({ digest: digestOf(token), accountId, toolboxId, expiresAt })
    .onConflictDoUpdate({
      target: enrolmentTokens.digest,
      set: { expiresAt },
      setWhere: isNull(enrolmentTokens.usedAt),
    })
  return true
}

/** Toolboxes that have not enrolled since somebody asked for other keys. */
export async function listAskedRotations(tx: Tx): Promise<string[]> {
  const asked = toolboxes.keyRotationAsked
  const rows = await tx
    .select({ id: toolboxes.id })
    .from(toolboxes)
    .where(
      and(
        isPresent(),
        isNotNull(asked),
        sql`(${asked}->>'epoch')::int >= ${toolboxes.enrolEpoch}`,
        sql`${toolboxes.keyRotationRefusal}->>'attempt' is distinct from ${asked}->>'attempt'`,
      ),
    )
  return rows.map(({ id }) => id)
}
