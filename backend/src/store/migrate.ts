import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as runMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { type PostgresAddress, settingsOf } from './address.ts'
import { applyCallProtection } from './call-protection.ts'
import { isBusy } from './database-error.ts'
import { applyNotifications } from './notifications.ts'
import { endSoon } from './one-connection.ts'
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
  address: PostgresAddress,
  migrationsFolder = folders.find((folder) => existsSync(folder)),
): Promise<void> {
  if (!migrationsFolder) throw new Error(`no migrations in ${folders.join(' or ')}`)
  const client = new pg.Client({ ...settingsOf(address), query_timeout: 0 })
  client.on('error', () => {}) // what is asked next says it
  await client.connect()
  try {
    await client.query('set statement_timeout = 0; set lock_timeout = 0')
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await client.query(`select set_config('lock_timeout', $1, false)`, [LOCK_TIMEOUT])
    await untilLocked(() => runMigrations(drizzle(client), { migrationsFolder }))
    await untilLocked(() => applyRowSecurity(client))
    await untilLocked(() => applyCallProtection(client))
    await untilLocked(() => applyNotifications(client))
  } finally {
    await endSoon(client)
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
