import type { Role } from '@agentopia/api'
import { index, pgTable, text } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id } from './columns.ts'

// Users, sessions, passwords, accounts (organisations) and members are better-auth's own tables: auth.ts.

/** A token of a person, for the CLI and programs. */
export const apiTokens = pgTable(
  'api_tokens',
  {
    id: id(),
    accountId: accountId(),
    userId: text('user_id').notNull(),
    name: text('name').notNull(),
    role: text('role').$type<Exclude<Role, 'owner'>>().notNull(),
    /** SHA-256 of the secret, hex. */
    digest: text('digest').notNull().unique(),
    hint: text('hint').notNull(),
    lastUsedAt: at('last_used_at'),
    expiresAt: at('expires_at'),
    createdAt: createdAt(),
  },
  (t) => [index('api_token_user').on(t.userId)],
)

/** A one-time link that signs a user in. */
export const signInLinks = pgTable('sign_in_links', {
  /** SHA-256 of the token, hex. */
  digest: text('digest').primaryKey(),
  userId: text('user_id').notNull(),
  expiresAt: at('expires_at').notNull(),
  usedAt: at('used_at'),
})
