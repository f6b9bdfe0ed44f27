import type { FlowLabel } from '@agentopia/api'
import { jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { accountId } from './columns.ts'
import { instances } from './instances.ts'

/** What an administrator says that a capability means for the flow of data. */
export const flowLabels = pgTable(
  'tool_flow_labels',
  {
    accountId: accountId(),
    instanceId: text('instance_id')
      .notNull()
      .references(() => instances.id, { onDelete: 'cascade' }),
    /** Empty: the server as a whole. */
    capability: text('capability').notNull(),
    labels: jsonb('labels').$type<FlowLabel[]>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.instanceId, t.capability] })],
)
