import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { toolbeltItems } from './agents.ts'
import { users } from './auth.ts'
import { accountId, at, createdAt, id, lease } from './columns.ts'

/** What of an authorization server a connection needs after it was made. */
export interface ConnectedServer {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly revocationEndpoint?: string
  /** Does it name itself in the answer that comes by the browser (RFC 9207)? */
  readonly namesItself: boolean
}

/** How an authorization server knows an account. */
export const oauthUpstreamClients = pgTable(
  'oauth_upstream_clients',
  {
    accountId: accountId(),
    issuer: text('issuer').notNull(),
    clientId: text('client_id').notNull(),
    /** Sealed. */
    secret: text('secret'),
    registered: text('registered').$type<'by-hand' | 'by-itself'>().notNull(),
    /** With which it was registered. */
    redirectUri: text('redirect_uri').notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.issuer] })],
)

const toolbeltItemId = () =>
  text('toolbelt_item_id')
    .notNull()
    .references(() => toolbeltItems.id, { onDelete: 'cascade' })

/** A person was sent to an authorization server and has not come back, or has: each attempt is good once. */
export const connectionAttempts = pgTable(
  'oauth_connection_attempts',
  {
    /** SHA-256 of the state, hex. */
    digest: text('digest').primaryKey(),
    accountId: accountId(),
    toolbeltItemId: toolbeltItemId(),
    /** Who began it, and alone may finish it. */
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    server: jsonb('server').$type<ConnectedServer>().notNull(),
    redirectUri: text('redirect_uri').notNull(),
    field: text('field').notNull(),
    resource: text('resource'),
    scopes: jsonb('scopes').$type<string[]>().notNull(),
    /** Code verifier of PKCE, sealed. */
    verifier: text('verifier').notNull(),
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at'),
  },
  (t) => [index('oauth_attempt_item').on(t.toolbeltItemId)],
)

/** One agent's tool, connected to the service behind it. */
export const connections = pgTable(
  'oauth_connections',
  {
    id: id(),
    accountId: accountId(),
    toolbeltItemId: toolbeltItemId().unique(),
    server: jsonb('server').$type<ConnectedServer>().notNull(),
    /** Key of the secret that is filled with the access token. */
    field: text('field').notNull(),
    resource: text('resource'),
    scopes: jsonb('scopes').$type<string[]>().notNull(),
    /** Grows with each refresh token; the seal names it. */
    version: integer('version').notNull().default(1),
    /** Sealed. Absent: the server gave none, and the connection ends with its access token. */
    refreshToken: text('refresh_token'),
    connectedBy: text('connected_by').notNull(),
    connectedAt: at('connected_at').notNull().defaultNow(),
    // Written by the reconciler of connections.
    state: text('state').$type<'connected' | 'requires_reauth'>().notNull().default('connected'),
    reason: text('reason'),
    /** Of the access token; absent: its server did not say. */
    expiresAt: at('expires_at'),
    refreshAt: at('refresh_at'),
    /** A refresh was sent whose answer is not known. */
    sentAt: at('sent_at'),
    failures: integer('failures').notNull().default(0),
    /** The access token has ended, and was taken out of the credential. */
    withdrawn: boolean('withdrawn').notNull().default(false),
    ...lease,
  },
  (t) => [check('oauth_connection_state', sql`${t.state} in ('connected','requires_reauth')`)],
)
