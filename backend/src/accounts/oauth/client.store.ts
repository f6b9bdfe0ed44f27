import { and, desc, eq, inArray, lt, notExists, sql } from 'drizzle-orm'
import { newId } from '../../new-id.ts'
import type { Tx } from '../../store/connect.ts'
import { oauthClients, oauthGrants } from '../../store/schema/index.ts'
import type { OAuthClient } from './client-metadata.ts'

export interface RegisteredClient extends OAuthClient {
  readonly createdAt: Date
}

/**
 * The most registrations that nobody consented to. Above it the oldest goes: a stranger fills no database, and shuts nobody
 * out who consents within hours.
 */
const MOST_UNUSED = 10_000

export async function insertClient(
  tx: Tx,
  { name, redirectUris }: Omit<OAuthClient, 'id'>,
  mostUnused = MOST_UNUSED,
): Promise<RegisteredClient> {
  const surplus = tx
    .select({ id: oauthClients.id })
    .from(oauthClients)
    .where(isUnused(tx))
    .orderBy(desc(oauthClients.createdAt), desc(oauthClients.id))
    .offset(mostUnused - 1)
  await tx.delete(oauthClients).where(inArray(oauthClients.id, surplus))
  const [row] = await tx
    .insert(oauthClients)
    .values({ id: newId('client'), name, redirectUris: [...redirectUris] })
    .returning()
  return row!
}

export async function findRegisteredClient(tx: Tx, clientId: string): Promise<OAuthClient | undefined> {
  const [row] = await tx.select().from(oauthClients).where(eq(oauthClients.id, clientId))
  return row
}

/** A registration that nobody consented to, or not any more, is forgotten after this long; its program registers again. */
const UNUSED_FOR = sql`interval '30 days'`

/** Anybody may register: what is not used must not stay. */
export const forgetUnusedClients = (tx: Tx) =>
  tx.delete(oauthClients).where(and(lt(oauthClients.createdAt, sql`now() - ${UNUSED_FOR}`), isUnused(tx)))

const isUnused = (tx: Tx) =>
  notExists(
    tx.select({ id: oauthGrants.id }).from(oauthGrants).where(sql`${oauthGrants.clientId} = ${oauthClients.id}`),
  )
