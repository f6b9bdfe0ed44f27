import type { Credential } from '@agentopia/api'
import type { Capability, ToolStatus } from '@agentopia/dtma/contract'
import { sql } from 'drizzle-orm'
import { check, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { toolbeltItems } from './agents.ts'
import { accountId, at, createdAt, id, lease } from './columns.ts'
import { toolboxes } from './toolboxes.ts'

/** The key that seals the credentials of one account; sealed itself by the master key, which is not in the database. */
export const accountKeys = pgTable('account_keys', {
  accountId: accountId().primaryKey(),
  sealedKey: text('sealed_key').notNull(),
  createdAt: createdAt(),
})

/** The secrets of one agent for one tool instance: one row for all fields, so that they change together. */
export const credentials = pgTable(
  'agent_tool_credentials',
  {
    id: id(),
    accountId: accountId(),
    toolbeltItemId: text('toolbelt_item_id')
      .notNull()
      .unique()
      .references(() => toolbeltItems.id, { onDelete: 'cascade' }),
    /** Grows with each change; the seal names it. */
    version: integer('version').notNull().default(1),
    sealed: text('sealed').notNull(),
    /** Masked, by key of the field. */
    hints: jsonb('hints').$type<Record<string, string>>().notNull(),
    changedAt: at('changed_at').notNull().defaultNow(),
    createdAt: createdAt(),
    // Written by the reconciler of agent tools.
    state: text('state')
      .$type<Exclude<Credential['state'], 'missing' | 'not_needed'>>()
      .notNull()
      .default('unverified'),
    reason: text('reason'),
  },
  (t) => [check('credential_state', sql`${t.state} in ('unverified','valid','refused')`)],
)

/**
 * The container that one agent has of a tool with secrets. A row says that there may be one; it goes after the toolbox has
 * confirmed that there is none. It points to nothing that could take it along.
 */
export const agentTools = pgTable(
  'agent_tools',
  {
    /** Its name on the toolbox: `<instance id>-<agent id>`. */
    id: id(),
    accountId: accountId(),
    toolboxId: text('toolbox_id')
      .notNull()
      .references(() => toolboxes.id),
    instanceId: text('instance_id').notNull(),
    agentId: text('agent_id').notNull(),
    /** When it was wanted last: by a call, or to try a new credential. */
    lastUsedAt: at('last_used_at').notNull(),
    createdAt: createdAt(),
    // Observed: written by the uplink and by answers of the toolbox.
    status: jsonb('status').$type<ToolStatus>(),
    observedAt: at('observed_at'),
    // Written by the reconciler of agent tools.
    /** Generation of the instance whose server was asked what it offers. */
    welcomedGeneration: integer('welcomed_generation').notNull().default(0),
    /** Digest that it reported then. Another one than it reports now: it has changed while it ran. */
    welcomedDigest: text('welcomed_digest'),
    ...lease,
  },
  (t) => [index('agent_tool_toolbox').on(t.toolboxId), index('agent_tool_instance').on(t.instanceId)],
)

/**
 * What the container that one agent has of a tool with secrets offers. Another agent's may offer something else: other
 * credentials open other things. Where all agents share one container there is no row, and the instance has what it offers.
 */
export const agentOffers = pgTable('agent_tool_offers', {
  toolbeltItemId: text('toolbelt_item_id')
    .primaryKey()
    .references(() => toolbeltItems.id, { onDelete: 'cascade' }),
  accountId: accountId(),
  // Written by the reconciler of agent tools.
  capabilities: jsonb('capabilities').$type<Capability[]>().notNull(),
  digest: text('digest').notNull(),
  askedAt: at('asked_at').notNull().defaultNow(),
})
