import { problem } from '@agentopia/api'
import { and, eq, ne, sql } from 'drizzle-orm'
import type { Store } from '../store/connect.ts'
import { isUniqueViolation } from '../store/database-error.ts'
import { sessions, signIns, users } from '../store/schema/index.ts'
import type { Auth } from './auth.ts'
import { findPassword } from './password.store.ts'

export interface PasswordChange {
  readonly userId: string
  /** The session that stays; all others end. */
  readonly sessionId: string
  readonly newPassword: string
  /** The address to sign in with from now on. */
  readonly email: string | undefined
}

/**
 * Sets or changes a password, in one transaction with the address and the end of all other sessions.
 * @throws {ProblemError} `password-changed` when somebody else does it at the same moment; `name-taken` for another's address;
 *                        `invalid-request` when the user has no address to sign in with.
 */
export async function changePassword(store: Store, auth: Auth, change: PasswordChange): Promise<void> {
  const { userId, sessionId, newPassword } = change
  const { password } = await auth.$context
  const known = await store.system((tx) => findPassword(tx, userId))
  const hash = await password.hash(newPassword)
  const email = change.email?.toLowerCase()

  await store
    .system(async (tx) => {
      const [user] = await tx.select({ email: users.email }).from(users).where(eq(users.id, userId)).for('update')
      if (email === undefined && user?.email.endsWith('@localhost'))
        throw problem('invalid-request', 'body: email is needed too: nobody can sign in as owner@localhost')
      if ((await findPassword(tx, userId)) !== known)
        throw problem('password-changed', 'Another request set it while this one was under way')
      if (email !== undefined) await tx.update(users).set({ email, updatedAt: sql`now()` }).where(eq(users.id, userId))
      await tx
        .insert(signIns)
        .values({ id: `password_${userId}`, userId, providerId: 'credential', accountId: userId, password: hash })
        .onConflictDoUpdate({
          target: [signIns.userId, signIns.providerId],
          set: { password: hash, updatedAt: sql`now()` },
        })
      await tx.delete(sessions).where(and(eq(sessions.userId, userId), ne(sessions.id, sessionId)))
    })
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? problem('name-taken', 'Another person signs in with this address') : error
    })
}
