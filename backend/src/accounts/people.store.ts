import type { Member, Role } from '@agentopia/api'
import { and, asc, eq } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import { apiTokens, members, oauthGrants, signIns, users } from '../store/schema/index.ts'
import { membershipOf } from './member.store.ts'

// Persons are in no account; only their places are. So the account is named in every query: these run over all accounts.

/** In order of joining. */
export const listPeople = (tx: Tx, accountId: string): Promise<Member[]> => selectPeople(tx, accountId)

export async function findPerson(tx: Tx, accountId: string, userId: string): Promise<Member | undefined> {
  const [found] = await selectPeople(tx, accountId, userId)
  return found
}

async function selectPeople(tx: Tx, accountId: string, userId?: string): Promise<Member[]> {
  const rows = await tx
    .select({
      id: users.id,
      email: users.email,
      name: users.name,
      role: members.role,
      joinedAt: members.createdAt,
    })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(and(eq(members.organizationId, accountId), userId === undefined ? undefined : eq(users.id, userId)))
    .orderBy(asc(members.createdAt), asc(users.id))
  return rows.flatMap((row) => {
    const known = membershipOf(row)
    return known ? [{ ...known, joinedAt: row.joinedAt.toISOString() }] : []
  })
}

/** How many owners there are, and still are when this transaction ends: of two who go at once, the second sees it. */
export async function lockOwners(tx: Tx, accountId: string): Promise<number> {
  const rows = await tx
    .select({ id: members.id })
    .from(members)
    .where(and(eq(members.organizationId, accountId), eq(members.role, 'owner')))
    .orderBy(asc(members.id))
    .for('update')
  return rows.length
}

export const setRole = (tx: Tx, accountId: string, userId: string, role: Role) =>
  tx
    .update(members)
    .set({ role })
    .where(and(eq(members.organizationId, accountId), eq(members.userId, userId)))

/** Takes a person's place, with the tokens and the consents that the person gave in this account. */
export async function deletePerson(tx: Tx, accountId: string, userId: string): Promise<void> {
  await tx.delete(apiTokens).where(and(eq(apiTokens.accountId, accountId), eq(apiTokens.userId, userId)))
  await tx.delete(oauthGrants).where(and(eq(oauthGrants.accountId, accountId), eq(oauthGrants.userId, userId)))
  await tx.delete(members).where(and(eq(members.organizationId, accountId), eq(members.userId, userId)))
}

/** Gives a person a place. Repeatable: who is in the account keeps the role. */
export const insertMember = (tx: Tx, accountId: string, userId: string, role: Role) =>
  tx
    .insert(members)
    .values({ id: newId('member'), organizationId: accountId, userId, role })
    .onConflictDoNothing()

/** @param hash Of the password, as the accounts library writes it. */
export async function insertPerson(
  tx: Tx,
  { email, name, hash }: { readonly email: string; readonly name: string; readonly hash: string },
): Promise<string> {
  const userId = newId('user')
  await tx.insert(users).values({ id: userId, name, email })
  await tx
    .insert(signIns)
    .values({ id: `password_${userId}`, userId, providerId: 'credential', accountId: userId, password: hash })
  return userId
}
