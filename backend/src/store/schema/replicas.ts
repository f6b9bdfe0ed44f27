import { index, pgTable, text } from 'drizzle-orm/pg-core'
import { at, id } from './columns.ts'
import { toolboxes } from './toolboxes.ts'

/** The control planes that serve this database together, each by its process. */
export const replicas = pgTable('control_plane_replicas', {
  id: id(),
  /** Where the others reach it: `host:port`. */
  address: text('address').notNull(),
  /** By the database's clock. */
  seenAt: at('seen_at').notNull().defaultNow(),
})

/** Which replica holds the tunnel of a toolbox. */
export const heldTunnels = pgTable(
  'control_plane_tunnels',
  {
    toolboxId: text('toolbox_id')
      .primaryKey()
      .references(() => toolboxes.id, { onDelete: 'cascade' }),
    replicaId: text('replica_id')
      .notNull()
      .references(() => replicas.id, { onDelete: 'cascade' }),
    since: at('since').notNull(),
  },
  (table) => [index().on(table.replicaId)],
)
