import { and, eq, gt, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type { CredentialSealer } from '../credentials/credential.seal.ts'
import { findCredential, judgeCredential, storeCredential } from '../credentials/credential.store.ts'
import { hintsOf } from '../credentials/credential.values.ts'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import { connectionAttempts, connections } from '../store/schema/index.ts'
import type { SealedFor } from '../store/seal.ts'

export type ConnectionRow = typeof connections.$inferSelect
export type AttemptRow = typeof connectionAttempts.$inferSelect

/** A refresh token opens only for its connection, in its version. */
export const refreshTokenOf = ({ id, accountId, version }: Pick<ConnectionRow, 'id' | 'accountId' | 'version'>) =>
  ({ purpose: 'refresh-token', accountId, recordId: `${id}.${version}` }) as const satisfies SealedFor

export const verifierOf = ({ digest, accountId }: Pick<AttemptRow, 'digest' | 'accountId'>) =>
  ({ purpose: 'oauth-attempt', accountId, recordId: digest }) as const satisfies SealedFor

export async function findConnection(tx: Tx, itemId: string): Promise<ConnectionRow | undefined> {
  const [row] = await tx.select().from(connections).where(eq(connections.toolbeltItemId, itemId))
  return row
}

export async function getConnectionById(tx: Tx, id: string): Promise<ConnectionRow | undefined> {
  const [row] = await tx.select().from(connections).where(eq(connections.id, id))
  return row
}

export const deleteConnection = (tx: Tx, itemId: string) =>
  tx.delete(connections).where(eq(connections.toolbeltItemId, itemId))

/** Those of which something is to be done, sooner or later. */
export const listConnectionIds = async (tx: Tx): Promise<string[]> =>
  (
    await tx
      .select({ id: connections.id })
      .from(connections)
      .where(
        or(
          and(eq(connections.state, 'connected'), sql`refresh_at is not null`),
          and(eq(connections.withdrawn, false), sql`expires_at is not null`),
        ),
      )
  ).map(({ id }) => id)

type NewConnection = Omit<typeof connections.$inferInsert, 'connectedAt' | 'state'>

/** Takes the place of the one before, if there was one: nothing of that is left. */
export async function storeConnection(tx: Tx, connection: NewConnection): Promise<void> {
  await deleteConnection(tx, connection.toolbeltItemId)
  await tx.insert(connections).values(connection)
}

/** @returns Whether the row was still there, and still this holder's. */
export async function changeConnection(
  tx: Tx,
  held: SQL,
  change: Partial<typeof connections.$inferInsert>,
): Promise<boolean> {
  const changed = await tx.update(connections).set(change).where(held).returning({ id: connections.id })
  return changed.length > 0
}

/**
 * Puts the access token among the secrets of the agent for the tool, or takes it out; the others stay. A new version of it is not
 * suspect when the one before was good.
 */
export async function placeAccessToken(
  tx: Tx,
  seals: CredentialSealer,
  { accountId, toolbeltItemId, field }: Pick<ConnectionRow, 'accountId' | 'toolbeltItemId' | 'field'>,
  accessToken: string | undefined,
): Promise<void> {
  const before = await findCredential(tx, toolbeltItemId, true)
  const { [field]: _, ...others } = before ? await seals.open(tx, before, before.sealed) : {}
  const values = accessToken === undefined ? others : { ...others, [field]: accessToken }
  const next = { id: before?.id ?? newId('cred'), accountId, version: (before?.version ?? 0) + 1 }
  const sealed = await seals.seal(tx, next, values)
  const stored = await storeCredential(tx, { ...next, toolbeltItemId, sealed, hints: hintsOf(values) })
  if (before?.state === 'valid') await judgeCredential(tx, stored, 'valid')
}

export const insertAttempt = (tx: Tx, attempt: typeof connectionAttempts.$inferInsert) =>
  tx.insert(connectionAttempts).values(attempt)

/** Takes an attempt of this person's; of two who come with the same, one gets it. `undefined`: there is none that is good. */
export async function takeAttempt(tx: Tx, digest: string, userId: string, now: Date): Promise<AttemptRow | undefined> {
  const [row] = await tx
    .update(connectionAttempts)
    .set({ usedAt: now })
    .where(
      and(
        eq(connectionAttempts.digest, digest),
        eq(connectionAttempts.userId, userId),
        isNull(connectionAttempts.usedAt),
        gt(connectionAttempts.expiresAt, now),
      ),
    )
    .returning()
  return row
}

export const forgetOldAttempts = (tx: Tx) =>
  tx.delete(connectionAttempts).where(lt(connectionAttempts.expiresAt, sql`now()`))
