import { pgTable, text } from 'drizzle-orm/pg-core'
import { at, createdAt } from './columns.ts'

/** One row: where this database is. It belongs to no account. */
export const installation = pgTable('installation', {
  id: text('id').primaryKey(),
  /** As the server itself says it; a copy elsewhere is found out by it. */
  place: text('place').notNull(),
  /** Since when it is known that this is a copy, until people say what counts. */
  recoveringSince: at('recovering_since'),
})

/** One row: the key from which is derived what stays when the master key is changed. It belongs to no account. */
export const rootKeys = pgTable('root_key', {
  id: text('id').primaryKey(),
  /** By the master key, which is not in the database. */
  sealedKey: text('sealed_key').notNull(),
  createdAt: createdAt(),
})
