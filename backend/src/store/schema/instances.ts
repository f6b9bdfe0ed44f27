import type { Capability, ToolStatus } from '@agentopia/dtma/contract'
import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Recipe } from '../../catalog/recipe.ts'
import { accountId, at, createdAt, id, lease } from './columns.ts'
import { groups } from './groups.ts'
import { toolboxes } from './toolboxes.ts'

/** One tool deployed on one toolbox. */
export const instances = pgTable(
  'account_tool_instances',
  {
    id: id(),
    accountId: accountId(),
    toolboxId: text('toolbox_id')
      .notNull()
      .references(() => toolboxes.id),
    toolId: text('tool_id').notNull(),
    name: text('name').notNull(),
    // Desired: written by the API, and of members by the group reconciler, that takes them back.
    desired: text('desired').$type<'running' | 'stopped' | 'absent'>().notNull(),
    generation: integer('generation').notNull().default(1),
    config: jsonb('config').$type<Record<string, string | number | boolean>>().notNull(),
    /** The recipe of a tool of the account's own, as it was when this was deployed; a curated one is looked up. */
    recipe: jsonb('recipe').$type<Recipe>(),
    /** The group that it was deployed with; its reconciler begins and takes back its members. */
    groupId: text('group_id').references(() => groups.id),
    /** False: a member of a group whose turn has not come. Written by the group reconciler. */
    begun: boolean('begun').notNull().default(true),
    // Observed: written by the uplink from DTMA's reports.
    status: jsonb('status').$type<ToolStatus>(),
    observedAt: at('observed_at'),
    /** What the container that all agents share offers. Where each has its own there is none, and `agentOffers` says it. */
    capabilities: jsonb('capabilities').$type<Capability[]>(),
    capabilityDigest: text('capability_digest'),
    // Written by the instance reconciler.
    /** Why the toolbox refused a generation, when it did. */
    refusal: jsonb('refusal').$type<{ generation: number; message: string }>(),
    createdAt: createdAt(),
    ...lease,
  },
  (t) => [
    uniqueIndex('instance_name').on(t.toolboxId, t.name),
    index('instance_toolbox').on(t.toolboxId),
    index('instance_group').on(t.groupId),
    check('instance_desired', sql`${t.desired} in ('running','stopped','absent')`),
  ],
)
