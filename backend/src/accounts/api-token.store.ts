import type { ApiToken, Role } from '@agentopia/api'
import { and, asc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import { digestOf, hintOf, newSecret } from '../secret.ts'
import type { Tx } from '../store/connect.ts'
import { apiTokens, members } from '../store/schema/index.ts'
import { membershipOf } from './member.store.ts'

/** What an API token stands for. */
export interface TokenIdentity {
  readonly tokenId: string
  readonly name: string
  readonly accountId: string
  readonly userId: string
  /** The token's own, and never more than its owner's is now. */
  readonly tokenRole: Role
  readonly ownerRole: Role
  readonly expiresAt: Date | undefined
}

/** @returns `undefined` for a token that is none, is expired, or whose owner left the account. */
export async function findTokenIdentity(tx: Tx, secret: string): Promise<TokenIdentity | undefined> {
  const [row] = await tx
    .select({
      tokenId: apiTokens.id,
      name: apiTokens.name,
      accountId: apiTokens.accountId,
      userId: apiTokens.userId,
      tokenRole: apiTokens.role,
      role: members.role,
      expiresAt: apiTokens.expiresAt,
    })
    .from(apiTokens)
    .innerJoin(members, and(eq(members.organizationId, apiTokens.accountId), eq(members.userId, apiTokens.userId)))
    .where(
      and(eq(apiTokens.digest, digestOf(secret)), or(isNull(apiTokens.expiresAt), gt(apiTokens.expiresAt, sql`now()`))),
    )
  const known = row && membershipOf(row)
  if (!known) return undefined
  const { role: ownerRole, expiresAt, ...identity } = known
  return { ...identity, ownerRole, expiresAt: expiresAt ?? undefined }
}

/** Notes that a token was used; at most once a minute, so that a busy program does not write with every call. */
export const noteTokenUse = async (tx: Tx, tokenId: string): Promise<void> => {
  const stale = lt(apiTokens.lastUsedAt, sql`now() - interval '1 minute'`)
  await tx
    .update(apiTokens)
    .set({ lastUsedAt: sql`now()` })
    .where(and(eq(apiTokens.id, tokenId), or(isNull(apiTokens.lastUsedAt), stale)))
}

export interface NewApiToken {
  readonly accountId: string
  readonly userId: string
  readonly name: string
  readonly role: ApiToken['role']
  readonly expiresInDays?: number | undefined
}

/** @returns the token and its secret, which is stored nowhere. */
export async function insertApiToken(
  tx: Tx,
  { expiresInDays, ...token }: NewApiToken,
): Promise<{ token: ApiToken; secret: string }> {
  const secret = newSecret('tbx')
  const [row] = await tx
    .insert(apiTokens)
    .values({
      id: newId('token'),
      ...token,
      digest: digestOf(secret),
      hint: hintOf(secret),
      ...(expiresInDays === undefined ? {} : { expiresAt: sql`now() + make_interval(days => ${expiresInDays})` }),
    })
    .returning()
  return { token: viewOf(row!), secret }
}

export const listApiTokensOf = async (tx: Tx, userId: string): Promise<ApiToken[]> =>
  (
    await tx
      .select()
      .from(apiTokens)
      .where(eq(apiTokens.userId, userId))
      .orderBy(asc(apiTokens.createdAt), asc(apiTokens.id))
  ).map(viewOf)

/** @returns the name of the token that is no more; `undefined` when this user has none of that id. */
export async function deleteApiToken(tx: Tx, userId: string, tokenId: string): Promise<string | undefined> {
  const [row] = await tx
    .delete(apiTokens)
    .where(and(eq(apiTokens.id, tokenId), eq(apiTokens.userId, userId)))
    .returning({ name: apiTokens.name })
  return row?.name
}

const viewOf = (row: typeof apiTokens.$inferSelect): ApiToken => ({
  id: row.id,
  name: row.name,
  role: row.role,
  hint: row.hint,
  createdAt: row.createdAt.toISOString(),
  ...(row.lastUsedAt ? { lastUsedAt: row.lastUsedAt.toISOString() } : {}),
  ...(row.expiresAt ? { expiresAt: row.expiresAt.toISOString() } : {}),
})
