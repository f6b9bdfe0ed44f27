import type { Invitation, Role } from '@agentopia/api'
import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import { digestOf, newSecret } from '../secret.ts'
import type { Tx } from '../store/connect.ts'
import { accounts, invitations, members, users } from '../store/schema/index.ts'
import { membershipOf } from './member.store.ts'

const VALID_MS = 7 * 24 * 3_600_000

export interface NewInvitation {
  readonly accountId: string
  /** In lower case. */
  readonly email: string
  readonly role: Role
  readonly inviterId: string
}

/** Open invitations; over all accounts, so the account is always named. */
const isOpen = (accountId: string, now: Date) =>
  and(
    eq(invitations.organizationId, accountId),
    eq(invitations.status, 'pending'),
    sql`${invitations.expiresAt} > ${now.toISOString()}`,
  )

/** Replaces an earlier one to the same address. @returns the id and the token, which is stored nowhere. */
export async function insertInvitation(
  tx: Tx,
  { accountId, ...invitation }: NewInvitation,
  now: Date,
): Promise<{ readonly id: string; readonly token: string }> {
  await tx
    .delete(invitations)
    .where(and(eq(invitations.organizationId, accountId), eq(invitations.email, invitation.email)))
  const token = newSecret('inv')
  const id = newId('invite')
  await tx.insert(invitations).values({
    id,
    organizationId: accountId,
    ...invitation,
    digest: digestOf(token),
    expiresAt: new Date(now.getTime() + VALID_MS),
  })
  return { id, token }
}

export async function listOpenInvitations(tx: Tx, accountId: string, now: Date): Promise<Invitation[]> {
  const rows = await tx
    .select({
      id: invitations.id,
      email: invitations.email,
      role: sql<string>`${invitations.role}`,
      invitedBy: users.email,
      createdAt: invitations.createdAt,
      expiresAt: invitations.expiresAt,
    })
    .from(invitations)
    .innerJoin(users, eq(users.id, invitations.inviterId))
    .where(isOpen(accountId, now))
    .orderBy(asc(invitations.createdAt), asc(invitations.id))
  return rows.flatMap((row) => {
    const known = membershipOf(row)
    if (!known) return []
    return [{ ...known, createdAt: row.createdAt.toISOString(), expiresAt: row.expiresAt.toISOString() }]
  })
}

/** @returns the address that is invited no more; `undefined` when there is no such open invitation. */
export async function deleteInvitation(tx: Tx, accountId: string, id: string): Promise<string | undefined> {
  const [row] = await tx
    .delete(invitations)
    .where(and(eq(invitations.id, id), eq(invitations.organizationId, accountId), eq(invitations.status, 'pending')))
    .returning({ email: invitations.email })
  return row?.email
}

/** What a link stands for. */
export interface OpenInvitation {
  readonly id: string
  readonly accountId: string
  readonly accountName: string
  readonly email: string
  readonly role: Role
  /** The person who signs in with that address already. */
  readonly userId: string | undefined
}

/**
 * Locks it, so that of many who use it at once one does.
 * @returns `undefined` for a used, expired or unknown one, and when whoever invited may not give that role any more.
 */
export const findInvitation = (tx: Tx, token: string, now: Date): Promise<OpenInvitation | undefined> =>
  selectInvitation(tx, eq(invitations.digest, digestOf(token)), now)

/** The first that is open to an address of which it is proven whose it is. Locks it, as {@link findInvitation} does. */
export const findInvitationTo = (tx: Tx, email: string, now: Date): Promise<OpenInvitation | undefined> =>
  selectInvitation(tx, eq(invitations.email, email), now)

async function selectInvitation(tx: Tx, which: SQL, now: Date): Promise<OpenInvitation | undefined> {
  const [row] = await tx
    .select({
      id: invitations.id,
      accountId: accounts.id,
      accountName: accounts.name,
      email: invitations.email,
      role: sql<string>`${invitations.role}`,
      userId: users.id,
    })
    .from(invitations)
    .innerJoin(accounts, eq(accounts.id, invitations.organizationId))
    .innerJoin(
      members,
      and(eq(members.organizationId, invitations.organizationId), eq(members.userId, invitations.inviterId)),
    )
    .leftJoin(users, eq(users.email, invitations.email))
    .where(
      and(
        which,
        eq(invitations.status, 'pending'),
        sql`${invitations.expiresAt} > ${now.toISOString()}`,
        sql`${members.role} in ('owner', 'admin')`,
        sql`(${members.role} = 'owner' or ${invitations.role} <> 'owner')`,
      ),
    )
    .orderBy(asc(invitations.createdAt), asc(invitations.id))
    .limit(1)
    .for('update', { of: invitations })
  const known = row && membershipOf(row)
  return known && { ...known, userId: known.userId ?? undefined }
}

export const useInvitation = (tx: Tx, id: string) =>
  tx.update(invitations).set({ status: 'accepted', digest: null }).where(eq(invitations.id, id))

/** The address that people open. What follows `#` never leaves the browser, so no log has the token. */
export const invitationUrl = (publicUrl: string, token: string): string => `${publicUrl}/invitation#${token}`
