import { sql } from 'drizzle-orm'
import { bigint, check, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { Recipe } from '../../catalog/recipe.ts'
import { accountId, at, createdAt, id } from './columns.ts'

/** Tools that an account added to the curated ones. */
export const ownTools = pgTable(
  'tool_catalog',
  {
    id: id(),
    accountId: accountId(),
    /** What people and instances call it. */
    toolId: text('tool_id').notNull(),
    recipe: jsonb('recipe').$type<Recipe>().notNull(),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('own_tool_once').on(t.accountId, t.toolId)],
)

/** What an account is known by at registries of images. */
export const registryCredentials = pgTable(
  'registry_credentials',
  {
    accountId: accountId(),
    registry: text('registry').notNull(),
    username: text('username').notNull(),
    /** Sealed. */
    password: text('password').notNull(),
    changedAt: at('changed_at').notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.registry] })],
)

/** Archives of images; the bytes are in the data directory. */
export const imageArchives = pgTable(
  'image_archives',
  {
    accountId: accountId(),
    digest: text('digest').notNull(),
    size: bigint('size', { mode: 'number' }).notNull(),
    received: bigint('received', { mode: 'number' }).notNull().default(0),
    state: text('state').$type<'receiving' | 'ready'>().notNull().default('receiving'),
    image: text('image'),
    architecture: text('architecture'),
    /** When the last part came. */
    changedAt: at('changed_at').notNull().defaultNow(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.digest] }),
    index('image_state').on(t.state, t.changedAt),
    check('image_state_known', sql`${t.state} in ('receiving','ready')`),
  ],
)
