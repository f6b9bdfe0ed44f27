import { and, eq, gt, isNotNull, ne, sql } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { Tx } from '../store/connect.ts'
import { activities, enrolmentTokens, toolboxes } from '../store/schema/index.ts'
import type { TokenUse } from './enrolment.store.ts'
import { tokenDigestOf } from './two-part-token.ts'

const ACTION = 'toolbox.enrolment-refused'
/** Who tries again and again is told of once in so long, by the clock of the record. */
const LATELY = sql`now() - interval '1 hour'`

/**
 * Tells the account when a token that was used comes again with another key: somebody has a copy of it. Whoever sends one that nobody
 * was given leaves no trace, and cannot fill a record.
 */
export async function tellOfSpentToken(
  tx: Tx,
  { token, publicKey }: Pick<TokenUse, 'token' | 'publicKey'>,
  { hostname, os }: { readonly hostname: string; readonly os: string },
): Promise<void> {
  const [spent] = await tx
    .select({ accountId: toolboxes.accountId, id: toolboxes.id, name: toolboxes.name })
    .from(enrolmentTokens)
    .innerJoin(toolboxes, eq(toolboxes.id, enrolmentTokens.toolboxId))
    .where(
      and(
        eq(enrolmentTokens.digest, tokenDigestOf(token)),
        isNotNull(enrolmentTokens.usedAt),
        ne(enrolmentTokens.usedByKey, publicKey),
      ),
    )
    .for('update', { of: enrolmentTokens })
  if (!spent) return
  const told = await tx
    .select({ id: activities.id })
    .from(activities)
    .where(and(eq(activities.subject, spent.id), eq(activities.action, ACTION), gt(activities.at, LATELY)))
    .limit(1)
  if (told.length > 0) return
  await recordActivity(tx, {
    accountId: spent.accountId,
    actor: 'control plane',
    action: ACTION,
    subject: spent.id,
    toolboxId: spent.id,
    message: `Somebody tried to become ${spent.name} with an enrolment token that was used before, and was refused: ${hostname} (${os}). If that was not you, somebody has read the token; it opens nothing.`,
  })
}
