import type { AgentLimits } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import { sql } from 'drizzle-orm'
import { boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id } from './columns.ts'
import { instances } from './instances.ts'
import { toolboxes } from './toolboxes.ts'

/** An AI that calls tools. */
export const agents = pgTable(
  'agents',
  {
    id: id(),
    accountId: accountId(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    enabled: boolean('enabled').notNull().default(true),
    limits: jsonb('limits').$type<AgentLimits>().notNull().default({}),
    lastCallAt: at('last_call_at'),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('agent_name').on(t.accountId, t.name)],
)

export const agentTokens = pgTable(
  'agent_tokens',
  {
    id: id(),
    accountId: accountId(),
    agentId: text('agent_id')
      .notNull()
      .references(() => agents.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** SHA-256 of the secret, hex. */
    digest: text('digest').notNull().unique(),
    hint: text('hint').notNull(),
    lastUsedAt: at('last_used_at'),
    expiresAt: at('expires_at'),
    createdAt: createdAt(),
  },
  (t) => [index('agent_token_agent').on(t.agentId)],
)

export const agentToolboxAccess = pgTable(
  'agent_toolbox_access',
  {
    accountId: accountId(),
    agentId: text('agent_id')
      .notNull()
      .references(() => agents.id, { onDelete: 'cascade' }),
    toolboxId: text('toolbox_id')
      .notNull()
      .references(() => toolboxes.id),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.agentId, t.toolboxId] })],
)

/** One tool instance that one agent may use. */
export const toolbeltItems = pgTable(
  'agent_toolbelt_items',
  {
    id: id(),
    accountId: accountId(),
    agentId: text('agent_id')
      .notNull()
      .references(() => agents.id, { onDelete: 'cascade' }),
    instanceId: text('instance_id')
      .notNull()
      .references(() => instances.id),
    enabled: boolean('enabled').notNull().default(true),
    /** Its names at the gateway are those of its server; one item of an agent at most. */
    plainNames: boolean('plain_names').notNull().default(false),
    /** May the agent use the prompts of the server; its resources? */
    prompts: boolean('prompts').notNull().default(false),
    resources: boolean('resources').notNull().default(false),
    /** Capabilities of these names are asked for before they are called: `delete_*`. */
    askPatterns: text('ask_patterns').array().notNull().default([]),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('toolbelt_plain_once').on(t.agentId).where(sql`${t.plainNames}`),
    uniqueIndex('toolbelt_once').on(t.agentId, t.instanceId),
    index('toolbelt_instance').on(t.instanceId),
  ],
)

/** A row says allowed, or allowed when a person says so each time; no row says denied. */
export const capabilityPermissions = pgTable(
  'agent_tool_capability_permissions',
  {
    accountId: accountId(),
    toolbeltItemId: text('toolbelt_item_id')
      .notNull()
      .references(() => toolbeltItems.id, { onDelete: 'cascade' }),
    capability: text('capability').notNull(),
    /** What was allowed: the definition as its server gave it then. `null`: the server has not offered it so far. */
    pinned: jsonb('pinned').$type<Capability>(),
    /** Is a person asked before each call? `null`: as the patterns of the item say. */
    ask: boolean('ask'),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.toolbeltItemId, t.capability] })],
)
