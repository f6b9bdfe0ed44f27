import type { Provider } from '@agentopia/api'
import { bigint, boolean, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id } from './columns.ts'

/** What an account gave us of a provider of machines. */
export const providers = pgTable(
  'providers',
  {
    id: id(),
    accountId: accountId(),
    provider: text('provider').$type<Provider>().notNull(),
    /** Sealed. */
    token: text('token').notNull(),
    hint: text('hint').notNull(),
    missingScopes: jsonb('missing_scopes').$type<string[]>().notNull(),
    /** Whose machines they are: what DigitalOcean calls the team of the token. Null: not known, or the token may not say it. */
    teamId: text('team_id'),
    validatedAt: at('validated_at').notNull(),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('provider_once').on(t.accountId, t.provider)],
)

/** The SSH key of an account, with which it comes to its servers. */
export const sshKeys = pgTable('ssh_keys', {
  accountId: accountId().primaryKey(),
  /** A line for authorized_keys. */
  publicKey: text('public_key').notNull(),
  /** OpenSSH, sealed. */
  privateKey: text('private_key').notNull(),
  createdAt: createdAt(),
})

/** Droplets of ours that belong to no toolbox: destroyed when they are still there after a while. */
export const dropletSightings = pgTable(
  'droplet_sightings',
  {
    accountId: accountId(),
    dropletId: bigint('droplet_id', { mode: 'number' }).notNull(),
    reason: text('reason').notNull(),
    firstSeenAt: at('first_seen_at').notNull(),
    /** Seen by a database that was restored: people decide, and nobody else. */
    held: boolean('held').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.dropletId] })],
)
