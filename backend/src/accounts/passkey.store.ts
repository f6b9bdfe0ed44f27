import type { Passkey } from '@agentopia/api'
import { and, asc, eq } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { passkeys } from '../store/schema/index.ts'

// Persons are in no account, and neither are their keys: the person is named in every query.

export type PasskeyRow = typeof passkeys.$inferSelect

export const listPasskeyRows = (tx: Tx, userId: string): Promise<PasskeyRow[]> =>
  tx.select().from(passkeys).where(eq(passkeys.userId, userId)).orderBy(asc(passkeys.createdAt), asc(passkeys.id))

export async function findByCredential(tx: Tx, credentialId: string): Promise<PasskeyRow | undefined> {
  const [row] = await tx.select().from(passkeys).where(eq(passkeys.credentialId, credentialId))
  return row
}

export async function insertPasskey(tx: Tx, passkey: typeof passkeys.$inferInsert): Promise<PasskeyRow> {
  const [row] = await tx.insert(passkeys).values(passkey).returning()
  return row!
}

/** @returns False when the counter moved meanwhile: two signed with one count, so there are two of the key. */
export async function noteUse(
  tx: Tx,
  { id, counter }: Pick<PasskeyRow, 'id' | 'counter'>,
  next: { readonly counter: number; readonly synced: boolean; readonly now: Date },
): Promise<boolean> {
  const noted = await tx
    .update(passkeys)
    .set({ counter: next.counter, synced: next.synced, lastUsedAt: next.now })
    .where(and(eq(passkeys.id, id), eq(passkeys.counter, counter)))
    .returning({ id: passkeys.id })
  return noted.length > 0
}

export const deletePasskey = (tx: Tx, id: string) => tx.delete(passkeys).where(eq(passkeys.id, id))

export const passkeyViewOf = ({ id, name, createdAt, lastUsedAt, synced }: PasskeyRow): Passkey => ({
  id,
  name,
  createdAt: createdAt.toISOString(),
  ...(lastUsedAt ? { lastUsedAt: lastUsedAt.toISOString() } : {}),
  synced,
})
