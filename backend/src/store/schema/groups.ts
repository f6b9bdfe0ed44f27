import type { ToolGroup } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { check, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id, lease } from './columns.ts'
import { toolboxes } from './toolboxes.ts'

/** A tool of a group, and what has to be ready before it. */
export interface GroupMemberRecord {
  readonly instanceId: string
  readonly name: string
  readonly toolId: string
  /** Members, or instances that were on the toolbox already. */
  readonly needs: readonly { readonly instanceId: string; readonly name: string }[]
}

/** Several tools that were deployed together on one toolbox. */
export const groups = pgTable(
  'account_tool_groups',
  {
    id: id(),
    accountId: accountId(),
    toolboxId: text('toolbox_id')
      .notNull()
      .references(() => toolboxes.id),
    name: text('name').notNull(),
    // Desired: written by the API alone.
    desired: text('desired').$type<'present' | 'absent'>().notNull().default('present'),
    /** In the order in which they are begun. */
    members: jsonb('members').$type<readonly GroupMemberRecord[]>().notNull(),
    createdAt: createdAt(),
    // Observed: written by the group reconciler.
    state: text('state').$type<Exclude<ToolGroup['state'], 'removing'>>().notNull().default('deploying'),
    since: at('since').notNull().defaultNow(),
    /** When a member was last begun, or taken back. */
    progressedAt: at('progressed_at').notNull().defaultNow(),
    failure: jsonb('failure').$type<NonNullable<ToolGroup['failure']>>(),
    ...lease,
  },
  (t) => [
    uniqueIndex('group_name').on(t.toolboxId, t.name),
    check('group_desired', sql`${t.desired} in ('present','absent')`),
    check('group_state', sql`${t.state} in ('deploying','ready','undoing','failed')`),
  ],
)
