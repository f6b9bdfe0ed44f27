import type { RolloutState } from '@agentopia/api'
import type { InstallationKind } from '@agentopia/dtma/contract'
import { sql } from 'drizzle-orm'
import { check, index, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id } from './columns.ts'

/** A version of DTMA that is brought to all toolboxes of an account. Which it reached is on the toolboxes. */
export const rollouts = pgTable(
  'rollouts',
  {
    id: id(),
    accountId: accountId(),
    /** Which version is brought to which kind of installation. */
    versions: jsonb('versions').$type<Partial<Record<InstallationKind, string>>>().notNull(),
    actor: text('actor').notNull(),
    createdAt: createdAt(),
    state: text('state').$type<RolloutState>().notNull().default('running'),
    reason: text('reason'),
    /** Toolboxes that were not well when somebody let it go on. */
    forgiven: jsonb('forgiven').$type<string[]>().notNull().default([]),
    endedAt: at('ended_at'),
  },
  (t) => [
    uniqueIndex('rollout_at_work').on(t.accountId).where(sql`ended_at is null`),
    index('rollout_time').on(t.accountId, t.createdAt),
    check('rollout_state', sql`${t.state} in ('running','halted','done','given_up')`),
    check('rollout_end', sql`(${t.endedAt} is null) = (${t.state} in ('running','halted'))`),
  ],
)
