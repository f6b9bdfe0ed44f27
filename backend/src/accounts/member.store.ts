import { type Me, Role } from '@agentopia/api'
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { accounts, members, users } from '../store/schema/index.ts'
import { listWaysIn } from './ways-in.store.ts'

/** A person in one account. */
export interface Membership {
  readonly accountId: string
  readonly userId: string
  readonly email: string
  readonly role: Role
}

/** The account in which a person acts: the one that the session names, else the first joined. */
export async function findMembership(
  tx: Tx,
  userId: string,
  activeAccountId?: string | null,
): Promise<Membership | undefined> {
  const [row] = await tx
    .select({
      accountId: members.organizationId,
      userId: members.userId,
      email: users.email,
      role: members.role,
    })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(eq(members.userId, userId))
    .orderBy(desc(sql`${members.organizationId} = ${activeAccountId ?? ''}`), asc(members.createdAt), asc(members.id))
    .limit(1)
  return row && membershipOf(row)
}

/** A role that this version does not know opens nothing. */
export function membershipOf<Row extends { readonly role: string }>(row: Row): (Row & { role: Role }) | undefined {
  const role = Role.safeParse(row.role)
  return role.success ? { ...row, role: role.data } : undefined
}

/** Who somebody is, as shown to themselves; `undefined` when they are in this account no more. @param signOnProviderId Of single sign-on. */
export async function findMe(
  tx: Tx,
  userId: string,
  accountId: string,
  signOnProviderId: string | undefined,
): Promise<Me | undefined> {
  const [row] = await tx
    .select({
      user: { id: users.id, email: users.email, name: users.name },
      account: { id: accounts.id, name: accounts.name },
      role: members.role,
    })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .innerJoin(accounts, eq(accounts.id, members.organizationId))
    .where(and(eq(members.userId, userId), eq(members.organizationId, accountId)))
  const known = row && membershipOf(row)
  if (!known) return undefined
  const ways = (await listWaysIn(tx, userId, signOnProviderId)).map(({ way }) => way)
  return { ...known, hasPassword: ways.includes('password'), hasSignOn: ways.includes('sign-on') }
}
