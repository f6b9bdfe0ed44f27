import { and, eq, isNotNull } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { signIns, users } from '../store/schema/index.ts'

/** The hash of the password that belongs to an address, in lower case. */
export async function findPasswordOf(
  tx: Tx,
  email: string,
): Promise<{ readonly userId: string; readonly hash: string } | undefined> {
  const [user] = await tx.select({ id: users.id }).from(users).where(eq(users.email, email))
  const hash = user && (await findPassword(tx, user.id))
  return hash === undefined ? undefined : { userId: user!.id, hash }
}

/** The hash of a person's password, when one was set. */
export async function findPassword(tx: Tx, userId: string): Promise<string | undefined> {
  const [row] = await tx
    .select({ password: signIns.password })
    .from(signIns)
    .where(and(eq(signIns.userId, userId), eq(signIns.providerId, 'credential'), isNotNull(signIns.password)))
  return row?.password ?? undefined
}
