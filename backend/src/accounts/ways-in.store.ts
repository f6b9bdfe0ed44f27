import type { Way } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { signIns, users } from '../store/schema/index.ts'
import { listPasskeyRows } from './passkey.store.ts'
import { findPassword } from './password.store.ts'

/** One thing with which a person can sign in by himself. A one-time link is none: somebody else makes it. */
export interface WayIn {
  readonly way: Way
  /** Of the passkey, or of the link with the provider. */
  readonly id: string
}

/** @param signOnProviderId The one of single sign-on that counts: one that was configured once is of no use any more. Absent: none does. */
export async function listWaysIn(tx: Tx, userId: string, signOnProviderId: string | undefined): Promise<WayIn[]> {
  const linked = await tx
    .select({ id: signIns.id, provider: signIns.providerId })
    .from(signIns)
    .where(eq(signIns.userId, userId))
  return [
    ...((await findPassword(tx, userId)) === undefined ? [] : [{ way: 'password' as const, id: userId }]),
    ...(await listPasskeyRows(tx, userId)).map(({ id }) => ({ way: 'passkey' as const, id })),
    ...linked.filter((one) => one.provider === signOnProviderId).map(({ id }) => ({ way: 'sign-on' as const, id })),
  ]
}

/** The same, and they stay so until this transaction ends: of two that are removed at once, the second is seen. */
export async function lockWaysIn(tx: Tx, userId: string, signOnProviderId: string | undefined): Promise<WayIn[]> {
  await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for('update')
  return listWaysIn(tx, userId, signOnProviderId)
}
