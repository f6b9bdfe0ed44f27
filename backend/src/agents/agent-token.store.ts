import type { AgentToken } from '@agentopia/api'
import { and, asc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import { digestOf, hintOf, newSecret } from '../secret.ts'
import type { Tx } from '../store/connect.ts'
import { agents, agentTokens } from '../store/schema/index.ts'

/** What an agent's token stands for. */
export interface AgentIdentity {
  readonly tokenId: string
  readonly agentId: string
  readonly agentName: string
  readonly accountId: string
}

/** @returns `undefined` for a token that is none, or is expired. A switched-off agent is still known: its calls are refused and recorded. */
export async function findAgentIdentity(tx: Tx, secret: string): Promise<AgentIdentity | undefined> {
  const [row] = await tx
    .select({ tokenId: agentTokens.id, agentId: agents.id, agentName: agents.name, accountId: agents.accountId })
    .from(agentTokens)
    .innerJoin(agents, eq(agents.id, agentTokens.agentId))
    .where(
      and(
        eq(agentTokens.digest, digestOf(secret)),
        or(isNull(agentTokens.expiresAt), gt(agentTokens.expiresAt, sql`now()`)),
      ),
    )
  return row
}

/** Notes that a token was used; at most once a minute, so that a busy agent does not write with every call. */
export async function noteAgentTokenUse(tx: Tx, tokenId: string): Promise<void> {
  const stale = lt(agentTokens.lastUsedAt, sql`now() - interval '1 minute'`)
  await tx
    .update(agentTokens)
    .set({ lastUsedAt: sql`now()` })
    .where(and(eq(agentTokens.id, tokenId), or(isNull(agentTokens.lastUsedAt), stale)))
}

/** @returns the token and its secret, which is stored nowhere. */
export async function insertAgentToken(
  tx: Tx,
  agent: { readonly id: string; readonly accountId: string },
  name: string,
  expiresInDays?: number,
): Promise<{ token: AgentToken; secret: string }> {
  const secret = newSecret('agt')
  const [row] = await tx
    .insert(agentTokens)
    .values({
      id: newId('token'),
      accountId: agent.accountId,
      agentId: agent.id,
      name,
      digest: digestOf(secret),
      hint: hintOf(secret),
      ...(expiresInDays === undefined ? {} : { expiresAt: sql`now() + make_interval(days => ${expiresInDays})` }),
    })
    .returning()
  return { token: viewOf(row!), secret }
}

export const listAgentTokensOf = async (tx: Tx, agentId: string): Promise<AgentToken[]> =>
  (await tx.select().from(agentTokens).where(eq(agentTokens.agentId, agentId)).orderBy(asc(agentTokens.createdAt))).map(
    viewOf,
  )

/** @returns False when the agent has no such token. */
export async function deleteAgentToken(tx: Tx, agentId: string, tokenId: string): Promise<boolean> {
  const gone = await tx
    .delete(agentTokens)
    .where(and(eq(agentTokens.id, tokenId), eq(agentTokens.agentId, agentId)))
    .returning({ id: agentTokens.id })
  return gone.length > 0
}

const viewOf = (row: typeof agentTokens.$inferSelect): AgentToken => ({
  id: row.id,
  name: row.name,
  hint: row.hint,
  createdAt: row.createdAt.toISOString(),
  ...(row.lastUsedAt ? { lastUsedAt: row.lastUsedAt.toISOString() } : {}),
  ...(row.expiresAt ? { expiresAt: row.expiresAt.toISOString() } : {}),
})
