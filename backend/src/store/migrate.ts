import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator'
import type postgres from 'postgres'
import { applyCallProtection } from './call-protection.ts'
import { applyNotifications } from './notifications.ts'
import { applyRowSecurity } from './row-security.ts'

/** Any number that nobody else uses: replicas that start together migrate one after the other. */
const MIGRATION_LOCK = 7_268_411

/** Who waits for a lock makes all wait who come after: those who work go first, and it is tried again. */
const LOCK_TIMEOUT = '2s'
const TRIES = 60
const PAUSE_MS = 1_000

/** Beside the bundle, or in the source tree. */
const folders = ['./migrations', '../../migrations'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/**
 * Brings the database to this version's schema: forward only, each migration once, all of them or none.
 * @param migrationsFolder Absent: those of this version.
 */
export async function migrate(
  client: postgres.Sql,
  migrationsFolder = folders.find((folder) => existsSync(folder)),
): Promise<void> {
  if (!migrationsFolder) throw new Error(`no migrations in ${folders.join(' or ')}`)
  const connection = await client.reserve()
  try {
    await connection`set statement_timeout = 0`
    await connection`set lock_timeout = 0`
    await connection`select pg_advisory_lock(${MIGRATION_LOCK})`
    await connection`select set_config('lock_timeout', ${LOCK_TIMEOUT}, false)`
    try {
      // The lock is this connection's; the statements run on it too.
      const own = asClient(connection, client)
      await untilLocked(() => runMigrations(drizzle(own), { migrationsFolder }))
      await untilLocked(() => applyRowSecurity(connection))
      await untilLocked(() => applyCallProtection(connection))
      await untilLocked(() => applyNotifications(connection))
    } finally {
      await connection`select pg_advisory_unlock(${MIGRATION_LOCK})`
      await connection`reset statement_timeout`
      await connection`reset lock_timeout`
    }
  } finally {
    connection.release()
  }
}

/** Does what can be repeated, until the locks that it needs are to be had. */
async function untilLocked(act: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act()
    } catch (error) {
      if (tries === TRIES || !isBusy(error)) throw error
      await sleep(PAUSE_MS)
    }
  }
}

/** 55P03 the lock was not to be had in time, 40P01 a deadlock. */
function isBusy(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (['55P03', '40P01'].includes(String((cause as { code?: unknown }).code))) return true
  return false
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
