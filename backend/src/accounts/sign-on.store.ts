import { createHash } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import { signIns, users } from '../store/schema/index.ts'
import { findMembership } from './member.store.ts'
import type { KnownPerson } from './sign-on.decision.ts'
import { listWaysIn } from './ways-in.store.ts'

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)

/** What a way to sign in by this issuer is called: subjects of another one are other people. */
export const providerIdOf = (issuer: string): string => `oidc-${digest(issuer)}`

/** The same subject has one id, so that of two who come first at once one is written. */
const signInIdOf = (providerId: string, subject: string): string => `${providerId}_${digest(subject)}`

export async function findBySubject(tx: Tx, providerId: string, subject: string): Promise<KnownPerson | undefined> {
  const [row] = await tx
    .select({ userId: signIns.userId })
    .from(signIns)
    .where(and(eq(signIns.providerId, providerId), eq(signIns.accountId, subject)))
  return row && knownPerson(tx, row.userId)
}

export async function findByEmail(tx: Tx, email: string | undefined): Promise<KnownPerson | undefined> {
  if (email === undefined) return undefined
  const [row] = await tx.select({ userId: users.id }).from(users).where(eq(users.email, email))
  return row && knownPerson(tx, row.userId)
}

async function knownPerson(tx: Tx, userId: string): Promise<KnownPerson> {
  return {
    userId,
    isMember: (await findMembership(tx, userId)) !== undefined,
    hasOtherWay: (await listWaysIn(tx, userId, undefined)).length > 0,
  }
}

/** Links; another subject of the same provider that the person had is linked no more. */
export async function insertLink(tx: Tx, userId: string, providerId: string, subject: string): Promise<void> {
  await tx.delete(signIns).where(and(eq(signIns.userId, userId), eq(signIns.providerId, providerId)))
  await tx.insert(signIns).values({ id: signInIdOf(providerId, subject), userId, providerId, accountId: subject })
}

/** @returns False when there is no link. */
export async function deleteLink(tx: Tx, userId: string, providerId: string): Promise<boolean> {
  const gone = await tx
    .delete(signIns)
    .where(and(eq(signIns.userId, userId), eq(signIns.providerId, providerId)))
    .returning({ id: signIns.id })
  return gone.length > 0
}

/** A person whom the provider vouches for. @returns the id. */
export async function insertVouchedFor(
  tx: Tx,
  person: { readonly email: string; readonly name: string },
): Promise<string> {
  const userId = newId('user')
  await tx.insert(users).values({ id: userId, ...person, emailVerified: true })
  return userId
}
