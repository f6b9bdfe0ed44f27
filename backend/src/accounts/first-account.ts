import type { Tx } from '../store/connect.ts'
import { accounts, members, users } from '../store/schema/index.ts'

/** Ids that are the same on every installation, so that two replicas at their first start make one account. */
export const FIRST_ACCOUNT = 'account_default'
export const FIRST_USER = 'user_owner'

/** Makes the account and the owner of a fresh installation. Repeatable: later calls change nothing. */
export async function ensureFirstAccount(tx: Tx): Promise<void> {
  const made = await tx
    .insert(accounts)
    .values({ id: FIRST_ACCOUNT, name: 'default', slug: 'default' })
    .onConflictDoNothing()
    .returning({ id: accounts.id })
  if (made.length === 0) return
  // No password: the first sign-in is by a one-time link, and a password can be set then.
  await tx.insert(users).values({ id: FIRST_USER, name: 'Owner', email: 'owner@localhost' })
  await tx
    .insert(members)
    .values({ id: 'member_owner', organizationId: FIRST_ACCOUNT, userId: FIRST_USER, role: 'owner' })
}
