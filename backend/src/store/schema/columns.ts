import { bigint, text, timestamp } from 'drizzle-orm/pg-core'

/** Columns that several tables share. */
export const id = () => text('id').primaryKey()

/** The tenant. Every table that has it is under row-level security. */
export const accountId = () => text('account_id').notNull()

/** Milliseconds are enough, and what JavaScript's Date can hold. */
export const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** Set by the database's own clock. */
export const createdAt = () => at('created_at').notNull().defaultNow()

/** Who works on the row now, until when; the epoch fences late writes of an earlier holder (ARCHITECTURE.md, reconcilers). */
export const lease = {
  leaseOwner: text('lease_owner'),
  leaseUntil: at('lease_until'),
  leaseEpoch: bigint('lease_epoch', { mode: 'number' }).notNull().default(0),
}
