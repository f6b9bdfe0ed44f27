import type { FlowPolicy, SecretPolicy } from '@agentopia/api'
import { bigint, boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt } from './columns.ts'

/** Where the chain of an account's calls ends, and where it begins since old records were removed. */
export const callChains = pgTable('call_chains', {
  accountId: accountId().primaryKey(),
  /** Of the last record; 0: there is none yet. */
  sequence: bigint('sequence', { mode: 'number' }).notNull(),
  hash: text('hash').notNull(),
  /** The last record that was removed by the rule of the account; 0: none was. */
  removedSequence: bigint('removed_sequence', { mode: 'number' }).notNull(),
  removedHash: text('removed_hash').notNull(),
  /** Records that are older than the chain. */
  unchained: bigint('unchained', { mode: 'number' }).notNull(),
  /** Sequence at which somebody without the root key was found to have written this row. Never taken back. */
  tamperedAt: bigint('tampered_at', { mode: 'number' }),
  /** HMAC-SHA-256 of the above under a key that is not in the database; hex. */
  seal: text('seal').notNull(),
})

/** What an account decides about its calls. */
export const callSettings = pgTable('call_settings', {
  accountId: accountId().primaryKey(),
  /** The kill switch of the account. */
  enabled: boolean('enabled').notNull().default(true),
  /** Records older than so many days are removed; absent: none ever is. */
  retentionDays: integer('retention_days'),
  /** How long a call waits for a person who says whether it is made. */
  approvalSeconds: integer('approval_seconds').notNull().default(300),
  /** What is done about texts that look like a secret. */
  secrets: text('secrets').$type<SecretPolicy>().notNull().default('redact'),
  /** What is done about agents that have everything that is needed to give private data away. */
  dataFlow: text('data_flow').$type<FlowPolicy>().notNull().default('warn'),
})

/** How many calls were admitted in one window of time, where a limit is set. */
export const callCounts = pgTable(
  'call_counts',
  {
    accountId: accountId(),
    agentId: text('agent_id').notNull(),
    /** `minute` or `day`, of the agent or of one of its capabilities. */
    scope: text('scope').notNull(),
    windowStart: at('window_start').notNull(),
    count: integer('count').notNull(),
  },
  (t) => [primaryKey({ columns: [t.agentId, t.scope, t.windowStart] })],
)

/** Calls that came with an Idempotency-Key, for 24 hours. */
export const executeKeys = pgTable(
  'execute_keys',
  {
    accountId: accountId(),
    agentId: text('agent_id').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of the parsed request, hex. */
    requestDigest: text('request_digest').notNull(),
    /** Until then the call may be under way; without an answer after that, nobody knows how it went. */
    until: at('until').notNull(),
    /** What was answered, sealed. */
    answer: text('answer'),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.agentId, t.key] })],
)
