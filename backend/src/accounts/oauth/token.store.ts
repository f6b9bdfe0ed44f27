import { createHash } from 'node:crypto'
import { and, eq, inArray, type SQLWrapper } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import { digestOf, newSecret } from '../../secret.ts'
import type { Tx } from '../../store/connect.ts'
import { members, oauthCodes, oauthGrants, oauthTokens } from '../../store/schema/index.ts'
import { ofGiver } from './grant.store.ts'
import { ACCESS_MS, REFRESH_MS } from './lifetimes.ts'

/** Both are shown once and stored nowhere. */
interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
}

/**
 * What became of an attempt to get tokens. `refused` is a value, not an error: what an attempt ends (a grant whose code or
 * refresh token came twice) has to be committed.
 */
export type Exchange = { readonly tokens: TokenPair } | { readonly refused: string }

export interface CodeExchange {
  readonly code: string
  readonly clientId: string
  readonly redirectUri: string | undefined
  readonly codeVerifier: string
}

/** Exchanges a code for tokens, once. A code that comes a second time was seen by somebody else: its grant ends. */
export async function exchangeCode(tx: Tx, asked: CodeExchange, now: Date): Promise<Exchange> {
  const ofCode = eq(oauthCodes.digest, digestOf(asked.code))
  const grant = await lockGrant(tx, tx.select({ id: oauthCodes.grantId }).from(oauthCodes).where(ofCode))
  const [code] = await tx.select().from(oauthCodes).where(ofCode)
  if (!code || !grant || grant.clientId !== asked.clientId)
    return { refused: 'The code is unknown, or another client’s' }
  if (code.usedAt) {
    await endGrant(tx, grant, 'its authorization code was used twice')
    return { refused: 'The code was used before; what it gave is revoked' }
  }
  if (code.expiresAt <= now) return { refused: 'The code is expired' }
  if (asked.redirectUri !== undefined && asked.redirectUri !== code.redirectUri)
    return { refused: 'redirect_uri is not the one that the code was sent to' }
  if (createHash('sha256').update(asked.codeVerifier).digest('base64url') !== code.codeChallenge)
    return { refused: 'code_verifier does not fit' }
  await tx.update(oauthCodes).set({ usedAt: now }).where(ofCode)
  return { tokens: await insertTokens(tx, grant, now) }
}

/** Exchanges a refresh token for a new pair, once. One that comes a second time was stolen, or its successor was: the grant ends. */
export async function exchangeRefreshToken(
  tx: Tx,
  { refreshToken, clientId }: { readonly refreshToken: string; readonly clientId: string },
  now: Date,
): Promise<Exchange> {
  const ofToken = and(eq(oauthTokens.digest, digestOf(refreshToken)), eq(oauthTokens.kind, 'refresh'))
  const grant = await lockGrant(tx, tx.select({ id: oauthTokens.grantId }).from(oauthTokens).where(ofToken))
  const [token] = await tx.select().from(oauthTokens).where(ofToken)
  if (!token || !grant || grant.clientId !== clientId)
    return { refused: 'The refresh token is unknown, revoked, or another client’s' }
  if (token.usedAt) {
    await endGrant(tx, grant, 'its refresh token was used twice')
    return { refused: 'The refresh token was used before; its grant is revoked' }
  }
  if (token.expiresAt <= now) return { refused: 'The refresh token is expired' }
  await tx.update(oauthTokens).set({ usedAt: now }).where(ofToken)
  return { tokens: await insertTokens(tx, grant, now) }
}

/**
 * Ends what a token stands for (RFC 7009): a refresh token its whole grant, an access token itself. A token that is none, or
 * another client's, changes nothing. @returns whether something ended.
 */
export async function revokeToken(tx: Tx, token: string, clientId: string | undefined): Promise<boolean> {
  const [row] = await tx
    .select({ digest: oauthTokens.digest, kind: oauthTokens.kind, grant: oauthGrants })
    .from(oauthTokens)
    .innerJoin(oauthGrants, eq(oauthGrants.id, oauthTokens.grantId))
    .where(eq(oauthTokens.digest, digestOf(token)))
  if (!row || (clientId !== undefined && clientId !== row.grant.clientId)) return false
  if (row.kind === 'refresh') await endGrant(tx, row.grant, 'it signed out')
  else await tx.delete(oauthTokens).where(eq(oauthTokens.digest, row.digest))
  return true
}

type GrantRow = typeof oauthGrants.$inferSelect

/** One at a time for each grant: of two attempts with one secret, one is the second. `undefined` also when its giver left the account, or may only look now. */
async function lockGrant(tx: Tx, grantId: SQLWrapper): Promise<GrantRow | undefined> {
  const [row] = await tx
    .select({ grant: oauthGrants })
    .from(oauthGrants)
    .innerJoin(members, ofGiver)
    .where(inArray(oauthGrants.id, grantId))
    .for('update', { of: oauthGrants })
  return row?.grant
}

async function insertTokens(tx: Tx, grant: GrantRow, now: Date): Promise<TokenPair> {
  const pair = { accessToken: newSecret('oat'), refreshToken: newSecret('ort') }
  const of = (kind: 'access' | 'refresh', token: string, ms: number) => ({
    digest: digestOf(token),
    accountId: grant.accountId,
    grantId: grant.id,
    kind,
    expiresAt: new Date(now.getTime() + ms),
  })
  const refresh = of('refresh', pair.refreshToken, REFRESH_MS)
  await tx.insert(oauthTokens).values([of('access', pair.accessToken, ACCESS_MS), refresh])
  const first = grant.connectedAt ? {} : { connectedAt: now }
  await tx
    .update(oauthGrants)
    .set({ ...first, expiresAt: refresh.expiresAt })
    .where(eq(oauthGrants.id, grant.id))
  return pair
}

async function endGrant(tx: Tx, { id, accountId, agentId, clientName }: GrantRow, why: string): Promise<void> {
  await tx.delete(oauthGrants).where(eq(oauthGrants.id, id))
  await recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: 'client.disconnected',
    subject: agentId,
    message: `Disconnected ${clientName}: ${why}`,
  })
}
