import { index, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { agents } from './agents.ts'
import { users } from './auth.ts'
import { accountId, at, createdAt, id } from './columns.ts'

/** A program that registered itself as an OAuth client (RFC 7591). It belongs to no account, and has no secret. */
export const oauthClients = pgTable('oauth_clients', {
  id: id(),
  /** As the program calls itself; nobody vouches for it. */
  name: text('name').notNull(),
  redirectUris: jsonb('redirect_uris').$type<string[]>().notNull(),
  createdAt: createdAt(),
})

/** A person let one client act as one agent. Without this row none of its codes and tokens opens anything. */
export const oauthGrants = pgTable(
  'oauth_grants',
  {
    id: id(),
    accountId: accountId(),
    agentId: text('agent_id')
      .notNull()
      .references(() => agents.id, { onDelete: 'cascade' }),
    /** Id of a registered client, or the address of a client's metadata document. */
    clientId: text('client_id').notNull(),
    clientName: text('client_name').notNull(),
    /** Where the code was sent: the host of a web address, else the scheme. */
    redirectHost: text('redirect_host').notNull(),
    /** Who consented. The grant ends with that person's place in the account. */
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The address that its tokens are good for (RFC 8707). */
    resource: text('resource').notNull(),
    /** When the client fetched its first tokens; absent while it has not. */
    connectedAt: at('connected_at'),
    lastUsedAt: at('last_used_at'),
    /** No token of it is valid after this moment; each refresh moves it. */
    expiresAt: at('expires_at').notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('oauth_grant_agent').on(t.agentId), index('oauth_grant_client').on(t.clientId)],
)

const grantId = () =>
  text('grant_id')
    .notNull()
    .references(() => oauthGrants.id, { onDelete: 'cascade' })

/** Authorization codes. A used one stays until it expires, so that its second use is noticed. */
export const oauthCodes = pgTable(
  'oauth_codes',
  {
    /** SHA-256 of the code, hex. */
    digest: text('digest').primaryKey(),
    accountId: accountId(),
    grantId: grantId(),
    redirectUri: text('redirect_uri').notNull(),
    /** SHA-256 of the verifier, base64url (RFC 7636, S256). */
    codeChallenge: text('code_challenge').notNull(),
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at'),
  },
  (t) => [index('oauth_code_grant').on(t.grantId)],
)

/** Access and refresh tokens. A refresh token that was used stays until it expires, so that its second use is noticed. */
export const oauthTokens = pgTable(
  'oauth_tokens',
  {
    /** SHA-256 of the token, hex. */
    digest: text('digest').primaryKey(),
    accountId: accountId(),
    grantId: grantId(),
    kind: text('kind').$type<'access' | 'refresh'>().notNull(),
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at'),
  },
  (t) => [index('oauth_token_grant').on(t.grantId)],
)
