import type { DropletActionState, NewDropletAction, Road } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { check, index, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id, lease } from './columns.ts'
import { toolboxes } from './toolboxes.ts'

/** How far an action is: written before and after each call of the provider, so that none is made twice. */
export interface ActionRecord {
  /** Which stage of the action is at work, from 0. */
  readonly stage: number
  /** ISO time at which the stage began. */
  readonly begunAt?: string
  /** How often the provider was asked for it. */
  readonly attempts: number
  /** ISO time of the last time. */
  readonly askedAt?: string
  /** How it ended: unknown until the provider answered. */
  readonly outcome?: 'unknown' | 'made' | 'refused'
  /** The provider's own actions of this droplet up to here are older than the request. */
  readonly after?: number
  /** The provider's action that carries it out. */
  readonly providerActionId?: number
  /** Looks since the last request. */
  readonly looks: number
  /** Of a resize: the droplet was off, and stays so. */
  readonly wasOff?: boolean
  /** Why it has failed, when something is to be put right before it ends. */
  readonly failed?: string
  /** Of a rebuild: the enrolment that the fresh disk replaces, and what the droplet is shown for the next one. */
  readonly epoch?: number
  readonly showing?: string
  /** The road that the droplet had, when the fresh disk begins with another one. */
  readonly roadBack?: Road
}

/** What people asked to be done with a droplet. */
export const dropletActions = pgTable(
  'droplet_actions',
  {
    id: id(),
    accountId: accountId(),
    toolboxId: text('toolbox_id')
      .notNull()
      .references(() => toolboxes.id, { onDelete: 'cascade' }),
    // Desired: written by the API alone.
    request: jsonb('request').$type<NewDropletAction>().notNull(),
    actor: text('actor').notNull(),
    createdAt: createdAt(),
    // Observed: written by the reconciler.
    state: text('state').$type<DropletActionState>().notNull().default('asked'),
    record: jsonb('record').$type<ActionRecord>().notNull().default({ stage: 0, attempts: 0, looks: 0 }),
    message: text('message'),
    endedAt: at('ended_at'),
    ...lease,
  },
  (t) => [
    uniqueIndex('droplet_action_at_work').on(t.toolboxId).where(sql`ended_at is null`),
    index('droplet_action_time').on(t.toolboxId, t.createdAt),
    check('droplet_action_state', sql`${t.state} in ('asked','running','done','failed')`),
  ],
)
