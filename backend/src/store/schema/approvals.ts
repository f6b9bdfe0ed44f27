import type { Approval, Call } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, index, pgTable, text } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id } from './columns.ts'

/** Calls that a person is, or was, asked about. No reference to agent or instance: what was decided outlives them. */
export const approvals = pgTable(
  'call_approvals',
  {
    id: id(),
    accountId: accountId(),
    agentId: text('agent_id').notNull(),
    agentName: text('agent_name').notNull(),
    toolbeltItemId: text('toolbelt_item_id').notNull(),
    instanceName: text('instance_name').notNull(),
    capability: text('capability').notNull(),
    destructive: boolean('destructive'),
    readOnly: boolean('read_only'),
    callId: text('call_id').notNull(),
    via: text('via').$type<NonNullable<Call['via']>>().notNull(),
    /** Masked and sealed; forgotten once it is decided. */
    arguments: text('arguments'),
    /** SHA-256, hex. */
    argumentDigest: text('argument_digest').notNull(),
    argumentBytes: bigint('argument_bytes', { mode: 'number' }).notNull(),
    state: text('state').$type<Approval['state']>().notNull().default('waiting'),
    /** The control plane process in which the call waits, and until when it is known to. */
    owner: text('owner').notNull(),
    heldUntil: at('held_until').notNull(),
    expiresAt: at('expires_at').notNull(),
    decidedAt: at('decided_at'),
    /** Who said yes or no. */
    decidedBy: text('decided_by'),
    /** The answer holds for every later call, too. */
    always: boolean('always').notNull().default(false),
    /** What was said with a no, or why nobody can decide any more. */
    reason: text('reason'),
    createdAt: createdAt(),
  },
  (t) => [
    index('approval_time').on(t.accountId, t.createdAt),
    index('approval_waiting').on(t.accountId, t.agentId).where(sql`${t.state} = 'waiting'`),
    check('approval_state', sql`${t.state} in ('waiting','approved','denied','expired','withdrawn')`),
  ],
)
