import { bigint, boolean, index, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id } from './columns.ts'

// The tables of the accounts library (better-auth), in our words: its "organization" is our account, its "account" is a
// way to sign in. Only the accounts module touches them; accounts/auth.ts says which table is which model.

const updatedAt = () => at('updated_at').notNull().defaultNow()

const userId = () =>
  text('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })

/** A person. */
export const users = pgTable('users', {
  id: id(),
  name: text('name').notNull(),
  email: text('email').notNull().unique(),
  emailVerified: boolean('email_verified').notNull().default(false),
  image: text('image'),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
})

/** One browser in which a person is signed in. */
export const sessions = pgTable(
  'sessions',
  {
    id: id(),
    userId: userId(),
    token: text('token').notNull().unique(),
    expiresAt: at('expires_at').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    activeOrganizationId: text('active_account'),
    /** When the person last showed in this browser to be there. */
    provenAt: at('proven_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index('session_user').on(t.userId)],
)

/** One way in which a person signs in: by password, or by single sign-on. */
export const signIns = pgTable(
  'sign_ins',
  {
    id: id(),
    userId: userId(),
    providerId: text('provider').notNull(),
    accountId: text('provider_subject').notNull(),
    /** scrypt, as the library writes it. */
    password: text('password'),
    accessToken: text('access_token'),
    refreshToken: text('refresh_token'),
    idToken: text('id_token'),
    accessTokenExpiresAt: at('access_token_expires_at'),
    refreshTokenExpiresAt: at('refresh_token_expires_at'),
    scope: text('scope'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [uniqueIndex('sign_in_once').on(t.userId, t.providerId)],
)

/** A key with which a person signs in (WebAuthn). */
export const passkeys = pgTable(
  'passkeys',
  {
    id: id(),
    userId: userId(),
    name: text('name').notNull(),
    /** As the authenticator calls it: base64url. */
    credentialId: text('credential_id').notNull().unique(),
    /** COSE, base64url. */
    publicKey: text('public_key').notNull(),
    /** How often it signed, as it last said; 0 for one that does not count. */
    counter: bigint('counter', { mode: 'number' }).notNull(),
    transports: jsonb('transports').$type<string[]>().notNull(),
    synced: boolean('synced').notNull(),
    createdAt: createdAt(),
    lastUsedAt: at('last_used_at'),
  },
  (t) => [index('passkey_user').on(t.userId)],
)

/** Short-lived proofs: of the library, of passkeys, of single sign-on. */
export const verifications = pgTable(
  'verifications',
  {
    id: id(),
    identifier: text('identifier').notNull(),
    value: text('value').notNull(),
    expiresAt: at('expires_at').notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index('verification_identifier').on(t.identifier)],
)

/** A tenant: owner of toolboxes, agents and everything else. */
export const accounts = pgTable('accounts', {
  id: id(),
  name: text('name').notNull(),
  slug: text('slug').notNull().unique(),
  logo: text('logo'),
  metadata: text('metadata'),
  createdAt: createdAt(),
})

const organizationId = () => accountId().references(() => accounts.id, { onDelete: 'cascade' })

/** A person in an account. */
export const members = pgTable(
  'account_members',
  {
    id: id(),
    organizationId: organizationId(),
    userId: userId(),
    role: text('role').notNull(),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('member_once').on(t.organizationId, t.userId), index('member_user').on(t.userId)],
)

export const invitations = pgTable(
  'account_invitations',
  {
    id: id(),
    organizationId: organizationId(),
    email: text('email').notNull(),
    role: text('role'),
    status: text('status').notNull().default('pending'),
    /** SHA-256 of the link's token, hex; absent when it was used. */
    digest: text('digest').unique(),
    expiresAt: at('expires_at').notNull(),
    inviterId: text('inviter_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  (t) => [index('invitation_account').on(t.organizationId), index('invitation_email').on(t.email)],
)
