import type { Call } from '@agentopia/api'
import {
  bigint,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id } from './columns.ts'

/** Every call of a capability. No reference to agent or instance: the record outlives them. */
export const calls = pgTable(
  'tool_calls',
  {
    id: id(),
    accountId: accountId(),
    agentId: text('agent_id').notNull(),
    agentName: text('agent_name').notNull(),
    instanceId: text('instance_id'),
    instanceName: text('instance_name'),
    capability: text('capability').notNull(),
    via: text('via').$type<NonNullable<Call['via']>>(),
    instanceGeneration: integer('instance_generation'),
    specDigest: text('spec_digest'),
    capabilityDigest: text('capability_digest'),
    outcome: text('outcome').$type<Call['outcome']>().notNull(),
    code: text('code'),
    decidedBy: text('decided_by'),
    startedAt: at('started_at').notNull(),
    durationMs: doublePrecision('duration_ms').notNull(),
    argumentDigest: text('argument_digest').notNull(),
    argumentBytes: bigint('argument_bytes', { mode: 'number' }).notNull(),
    resultBytes: bigint('result_bytes', { mode: 'number' }),
    resultDigest: text('result_digest'),
    // The chain; absent in records that are older than it.
    sequence: bigint('sequence', { mode: 'number' }),
    previousHash: text('previous_hash'),
    hash: text('hash'),
  },
  (t) => [index('call_time').on(t.accountId, t.startedAt), uniqueIndex('call_sequence').on(t.accountId, t.sequence)],
)

/** Who did what to which thing. */
export const activities = pgTable(
  'activities',
  {
    id: id(),
    accountId: accountId(),
    at: at('at').notNull().defaultNow(),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    subject: text('subject').notNull(),
    toolboxId: text('toolbox_id'),
    message: text('message').notNull(),
  },
  (t) => [index('activity_time').on(t.accountId, t.at)],
)

/** What a request with an Idempotency-Key was answered, for 24 hours. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    accountId: accountId(),
    key: text('key').notNull(),
    operation: text('operation').notNull(),
    /** SHA-256 of the parsed request, hex. */
    requestDigest: text('request_digest').notNull(),
    reply: jsonb('reply').$type<unknown>().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.key] })],
)
