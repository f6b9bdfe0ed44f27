import { type OAuthClient, problem } from '@agentopia/api'
import { and, asc, eq } from 'drizzle-orm'
import * as oauth from 'oauth4webapi'
import type { Store, Tx } from '../store/connect.ts'
import { oauthUpstreamClients } from '../store/schema/index.ts'
import type { SealedFor, Sealer } from '../store/seal.ts'
import type { Discovered, DiscoveryDeps } from './connection.discovery.ts'
import { optionsFor, whyNot } from './oauth-calls.ts'

export type ClientRow = typeof oauthUpstreamClients.$inferSelect

/** The secret of a client opens only for its account at its issuer. */
export const clientSecretOf = ({ accountId, issuer }: Pick<ClientRow, 'accountId' | 'issuer'>) =>
  ({ purpose: 'oauth-client', accountId, recordId: issuer }) as const satisfies SealedFor

/** How a server knows the account, for the OAuth library. Only here is the secret opened. */
export function authenticationOf(
  { accountId, issuer, clientId, secret }: ClientRow,
  sealer: Sealer,
): { readonly client: oauth.Client; readonly authentication: oauth.ClientAuth } {
  return {
    client: { client_id: clientId },
    authentication:
      secret === null
        ? oauth.None()
        : oauth.ClientSecretBasic(sealer.open(secret, clientSecretOf({ accountId, issuer }))),
  }
}

export async function findOAuthClient(tx: Tx, accountId: string, issuer: string): Promise<ClientRow | undefined> {
  const [row] = await tx
    .select()
    .from(oauthUpstreamClients)
    .where(and(eq(oauthUpstreamClients.accountId, accountId), eq(oauthUpstreamClients.issuer, issuer)))
  return row
}

export const listOAuthClientRows = (tx: Tx): Promise<ClientRow[]> =>
  tx.select().from(oauthUpstreamClients).orderBy(asc(oauthUpstreamClients.issuer))

interface NewClient {
  readonly accountId: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly registered: ClientRow['registered']
  readonly redirectUri: string
}

/** What is entered by hand takes the place of what was there; a registration of ours does not. */
export async function storeOAuthClient(tx: Tx, sealer: Sealer, client: NewClient): Promise<ClientRow> {
  const { clientSecret, ...row } = client
  const secret = clientSecret === undefined ? null : sealer.seal(clientSecret, clientSecretOf(client))
  const insert = tx.insert(oauthUpstreamClients).values({ ...row, secret })
  if (client.registered === 'by-itself') await insert.onConflictDoNothing()
  else
    await insert.onConflictDoUpdate({
      target: [oauthUpstreamClients.accountId, oauthUpstreamClients.issuer],
      set: { ...row, secret },
    })
  return (await findOAuthClient(tx, client.accountId, client.issuer))! // of two at once, one stands
}

export interface ClientDeps extends DiscoveryDeps {
  readonly store: Pick<Store, 'tenant'>
  readonly sealer: Sealer
}

/**
 * How the server knows this account: as stored, or by registering now (RFC 7591).
 * @throws {ProblemError} `oauth-client-missing`, `provider-refused` or `provider-unavailable`.
 */
export async function clientAt(
  { server, registrationEndpoint }: Discovered,
  redirectUri: string,
  accountId: string,
  deps: ClientDeps,
  signal: AbortSignal,
): Promise<ClientRow> {
  const { store, sealer } = deps
  const known = await store.tenant(accountId, (tx) => findOAuthClient(tx, accountId, server.issuer))
  if (known && (known.registered === 'by-hand' || known.redirectUri === redirectUri)) return known
  if (registrationEndpoint === undefined)
    throw problem(
      'oauth-client-missing',
      `${new URL(server.issuer).host} registers no clients by itself; register one there with the redirect address ${redirectUri}`,
    )
  const metadata = {
    client_name: 'Agentopia Toolboxes',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  const as = { issuer: server.issuer, registration_endpoint: registrationEndpoint }
  const made = await oauth
    .dynamicClientRegistrationRequest(as, metadata, optionsFor(deps, signal))
    .then(oauth.processDynamicClientRegistrationResponse)
    .catch((cause: unknown) => {
      throw problem(
        'provider-refused',
        `${new URL(server.issuer).host} does not register this account: ${whyNot(cause)}`,
        {
          cause,
        },
      )
    })
  const { client_id: clientId, client_secret: clientSecret } = made
  return store.tenant(accountId, async (tx) => {
    // Registered for another address of ours: that one is of no use any more.
    if (known) await tx.delete(oauthUpstreamClients).where(eq(oauthUpstreamClients.issuer, server.issuer))
    return storeOAuthClient(tx, sealer, {
      accountId,
      issuer: server.issuer,
      clientId,
      clientSecret: typeof clientSecret === 'string' ? clientSecret : undefined,
      registered: 'by-itself',
      redirectUri,
    })
  })
}

export const oauthClientViewOf = ({ issuer, clientId, secret, registered, redirectUri }: ClientRow): OAuthClient => ({
  issuer,
  clientId,
  secret: secret !== null,
  registered,
  redirectUri,
})
