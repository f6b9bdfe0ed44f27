import { eq } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { moveTo, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { voidUnusedTokens } from './enrolment.store.ts'

const REASON = 'Two machines hold its identity. Neither gets anything any more; tools run on. Enrol one of them anew'

/**
 * Locks out both holders of an identity that two machines have: which of them is the right one, only a person can know.
 * A token that was on its way to one of them is void: it would let in whoever holds it. Whoever calls it closes the roads afterwards. @returns false when the toolbox is on its way out, or locked already.
 */
export async function quarantine(tx: Tx, row: ToolboxRow, now: Date): Promise<boolean> {
  if (!(await moveTo(tx, row.id, { to: 'quarantined', reason: REASON, now }))) return false
  await tx
    .update(toolboxes)
    .set({ dtmaBearerToken: null, bearerExpiresAt: null, backendToDtmaApiKey: null })
    .where(eq(toolboxes.id, row.id))
  await voidUnusedTokens(tx, row.id)
  const message = `${row.name} is quarantined: two machines hold its identity`
  const { id, accountId } = row
  await recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: 'toolbox.quarantined',
    subject: id,
    toolboxId: id,
    message,
  })
  return true
}
