import { and, eq, lt, notExists, sql } from 'drizzle-orm'
import { newId } from '../../new-id.ts'
import type { Tx } from '../../store/connect.ts'
import { oauthClients, oauthGrants } from '../../store/schema/index.ts'
import type { OAuthClient } from './client-metadata.ts'

export interface RegisteredClient extends OAuthClient {
  readonly createdAt: Date
}

export async function insertClient(tx: Tx, { name, redirectUris }: Omit<OAuthClient, 'id'>): Promise<RegisteredClient> {
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
  tx
    .delete(oauthClients)
    .where(
      and(
        lt(oauthClients.createdAt, sql`now() - ${UNUSED_FOR}`),
        notExists(
          tx.select({ id: oauthGrants.id }).from(oauthGrants).where(sql`${oauthGrants.clientId} = ${oauthClients.id}`),
        ),
      ),
    )
