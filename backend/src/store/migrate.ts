import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator'
import type postgres from 'postgres'
import { applyCallProtection } from './call-protection.ts'
import { applyNotifications } from './notifications.ts'
import { applyRowSecurity } from './row-security.ts'

/** Any number that nobody else uses: replicas that start together migrate one after the other. */
const MIGRATION_LOCK = 7_268_411

/** Beside the bundle, or in the source tree. */
const folders = ['./migrations', '../../migrations'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** Brings the database to this version's schema: forward only, each migration once. */
export async function migrate(client: postgres.Sql): Promise<void> {
  const migrationsFolder = folders.find((folder) => existsSync(folder))
  if (!migrationsFolder) throw new Error(`no migrations in ${folders.join(' or ')}`)
  const connection = await client.reserve()
  try {
    await connection`set statement_timeout = 0`
    await connection`select pg_advisory_lock(${MIGRATION_LOCK})`
    try {
      // The lock is this connection's; the statements run on it too.
      await runMigrations(drizzle(asClient(connection, client)), { migrationsFolder })
      await applyRowSecurity(connection)
      await applyCallProtection(connection)
      await applyNotifications(connection)
    } finally {
      await connection`select pg_advisory_unlock(${MIGRATION_LOCK})`
      await connection`reset statement_timeout`
    }
  } finally {
    connection.release()
  }
}

/** drizzle wants a client with options and `begin`; a reserved connection has neither of its own. */
function asClient(connection: postgres.ReservedSql, client: postgres.Sql): postgres.Sql {
  const begin = async (act: (tx: postgres.ReservedSql) => Promise<unknown>) => {
    await connection`begin`
    try {
      const result = await act(connection)
      await connection`commit`
      return result
    } catch (error) {
      await connection`rollback`
      throw error
    }
  }
  return Object.assign(connection, { options: client.options, begin }) as unknown as postgres.Sql
}
