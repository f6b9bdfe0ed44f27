import type { ConnectedClient, Role } from '@agentopia/api'
import { and, desc, eq, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import { newId } from '../../new-id.ts'
import { digestOf, newSecret } from '../../secret.ts'
import type { Tx } from '../../store/connect.ts'
import { agents, members, oauthCodes, oauthGrants, oauthTokens } from '../../store/schema/index.ts'
import { CODE_MS } from './lifetimes.ts'

export interface NewGrant {
  readonly accountId: string
  readonly agentId: string
  readonly userId: string
  readonly clientId: string
  readonly clientName: string
  readonly redirectHost: string
  readonly resource: string
  readonly redirectUri: string
  readonly codeChallenge: string
}

/** Writes down a consent. @returns the code by which the client fetches its tokens, once, within a minute. */
export async function insertGrant(
  tx: Tx,
  { redirectUri, codeChallenge, ...grant }: NewGrant,
  now: Date,
): Promise<{ readonly grantId: string; readonly code: string }> {
  const grantId = newId('grant')
  const code = newSecret('code')
  const expiresAt = new Date(now.getTime() + CODE_MS)
  await tx.insert(oauthGrants).values({ id: grantId, ...grant, expiresAt })
  await tx
    .insert(oauthCodes)
    .values({ digest: digestOf(code), accountId: grant.accountId, grantId, redirectUri, codeChallenge, expiresAt })
  return { grantId, code }
}

/** What a client's access token stands for. */
export interface ConnectedIdentity {
  readonly grantId: string
  readonly agentId: string
  readonly agentName: string
  readonly accountId: string
  readonly expiresAt: Date
}

/**
 * @param resource The address at which the token is shown; one for another address opens nothing.
 * @returns `undefined` for a token that is none, is expired, or whose giver left the account or may only look now.
 */
export async function findConnectedIdentity(
  tx: Tx,
  token: string,
  resource: string,
  now: Date,
): Promise<ConnectedIdentity | undefined> {
  const [row] = await tx
    .select({
      grantId: oauthGrants.id,
      agentId: agents.id,
      agentName: agents.name,
      accountId: oauthGrants.accountId,
      expiresAt: oauthTokens.expiresAt,
    })
    .from(oauthTokens)
    .innerJoin(oauthGrants, eq(oauthGrants.id, oauthTokens.grantId))
    .innerJoin(agents, and(eq(agents.id, oauthGrants.agentId), eq(agents.accountId, oauthGrants.accountId)))
    .innerJoin(members, ofGiver)
    .where(
      and(
        eq(oauthTokens.digest, digestOf(token)),
        eq(oauthTokens.kind, 'access'),
        eq(oauthGrants.resource, resource),
        sql`${oauthTokens.expiresAt} > ${now.toISOString()}`,
      ),
    )
  return row
}

/** The place in the account of who consented: with a role that may consent now, for a grant gives no more than its giver has. */
export const ofGiver = and(
  eq(members.organizationId, oauthGrants.accountId),
  eq(members.userId, oauthGrants.userId),
  inArray(members.role, ['operator', 'admin', 'owner'] satisfies Role[]),
)

/** Notes that a client called; at most once a minute, so that a busy one does not write with every call. */
export async function noteGrantUse(tx: Tx, grantId: string): Promise<void> {
  const stale = lt(oauthGrants.lastUsedAt, sql`now() - interval '1 minute'`)
  await tx
    .update(oauthGrants)
    .set({ lastUsedAt: sql`now()` })
    .where(and(eq(oauthGrants.id, grantId), or(isNull(oauthGrants.lastUsedAt), stale)))
}

/** The clients that act as this agent now, the latest first. */
export async function listConnectedClients(tx: Tx, agentId: string): Promise<ConnectedClient[]> {
  const rows = await tx
    .select({ grant: oauthGrants })
    .from(oauthGrants)
    .where(
      and(eq(oauthGrants.agentId, agentId), isNotNull(oauthGrants.connectedAt), sql`${oauthGrants.expiresAt} > now()`),
    )
    .orderBy(desc(oauthGrants.createdAt), desc(oauthGrants.id))
  return rows.map(({ grant }) => ({
    id: grant.id,
    name: grant.clientName,
    clientId: grant.clientId,
    redirectHost: grant.redirectHost,
    createdAt: grant.createdAt.toISOString(),
    expiresAt: grant.expiresAt.toISOString(),
    ...(grant.lastUsedAt ? { lastUsedAt: grant.lastUsedAt.toISOString() } : {}),
  }))
}

/** @returns the name of the client that is connected no more; `undefined` when the agent has no such grant. */
export async function deleteGrant(tx: Tx, agentId: string, grantId: string): Promise<string | undefined> {
  const [row] = await tx
    .delete(oauthGrants)
    .where(and(eq(oauthGrants.id, grantId), eq(oauthGrants.agentId, agentId)))
    .returning({ name: oauthGrants.clientName })
  return row?.name
}

/** Who consented last to this client, and to which agent: the page offers it again. */
export async function findLastAgent(tx: Tx, clientId: string, userId: string): Promise<string | undefined> {
  const [row] = await tx
    .select({ agentId: oauthGrants.agentId })
    .from(oauthGrants)
    .where(and(eq(oauthGrants.clientId, clientId), eq(oauthGrants.userId, userId)))
    .orderBy(desc(oauthGrants.createdAt))
    .limit(1)
  return row?.agentId
}

/** Removes what is past its time. Nothing depends on it: none of it opens anything. */
export async function forgetOldGrants(tx: Tx): Promise<void> {
  for (const table of [oauthCodes, oauthTokens, oauthGrants])
    await tx.delete(table).where(lt(table.expiresAt, sql`now()`))
}
