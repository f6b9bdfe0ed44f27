import { type Me, Role } from '@agentopia/api'
import { and, asc, desc, eq, isNotNull, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { accounts, members, signIns, users } from '../store/schema/index.ts'

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

/** Who somebody is, as shown to themselves; `undefined` when they are in this account no more. @param provider Of single sign-on. */
export async function findMe(
  tx: Tx,
  userId: string,
  accountId: string,
  provider: string | undefined,
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
  const ways = await tx
    .select({ provider: signIns.providerId, password: signIns.password })
    .from(signIns)
    .where(eq(signIns.userId, userId))
  return {
    ...known,
    hasPassword: ways.some((one) => one.provider === 'credential' && one.password !== null),
    hasSignOn: ways.some((one) => one.provider === provider),
  }
}

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
