import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt } from './columns.ts'

/** Whether what is sent and answered is kept; without a row it is not. */
export const payloadRules = pgTable(
  'call_payload_rules',
  {
    accountId: accountId(),
    /** Empty: of the account. */
    instanceId: text('instance_id').notNull(),
    /** 0: nothing is kept. */
    days: integer('days').notNull(),
    mostBytes: integer('most_bytes').notNull(),
    redact: jsonb('redact').$type<string[]>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.instanceId] })],
)

/** What was sent with a call and what came back. Beside the record and its chain, which do not change when this goes. */
export const callPayloads = pgTable(
  'call_payloads',
  {
    callId: text('call_id').primaryKey(),
    accountId: accountId(),
    agentId: text('agent_id').notNull(),
    instanceId: text('instance_id').notNull(),
    sealed: text('sealed').notNull(),
    /** Before it was sealed. */
    bytes: bigint('bytes', { mode: 'number' }).notNull(),
    keptUntil: at('kept_until').notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('payload_until').on(t.keptUntil), index('payload_of').on(t.accountId, t.instanceId)],
)
