import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Log } from '../log.ts'
import { type PostgresAddress, settingsOf } from './address.ts'
import { openLastingSession } from './lasting-session.ts'
import { StoreError } from './store-error.ts'

/** Of PostgreSQL's advisory locks; any number that nobody else in this database takes. */
export const LOCK = 7_301_984_512
/** A predecessor that is ending has this long; one that was killed is gone at once. */
const WAIT_MS = 15_000
const LOOK_MS = 250
/** A holder whose machine or network is gone is let go by the server within a minute, and not after hours. */
const NOTICED_SOON = 'set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3'

/**
 * Two control planes that do not know of each other would each take the other's toolboxes for lost. So one that is alone keeps the
 * database for itself, and several that know of each other share it. PostgreSQL forgets the lock with its connection.
 * @throws {StoreError} When others are there that do not fit.
 */
export async function holdDatabase(
  address: PostgresAddress,
  { isShared, log, waitMs = WAIT_MS }: { readonly isShared: boolean; readonly log: Log; readonly waitMs?: number },
): Promise<AsyncDisposable> {
  const until = performance.now() + waitMs
  let isTold = false

  async function take(client: pg.Client, isAgain: boolean): Promise<void> {
    await client.query(NOTICED_SOON)
    while (!(await isTaken(client))) {
      if (isAgain) {
        // The database was away, and the lock with it.
        if (!isTold) log.error({}, 'another control plane has taken the database meanwhile')
        isTold = true
        throw new Error('the database is held by another')
      }
      if (performance.now() >= until)
        throw new StoreError(
          'Another control plane works on the database of DATABASE_URL',
          'Stop it, or give each of them a REPLICA_ADDRESS.',
        )
      await sleep(LOOK_MS)
    }
    isTold = false
  }

  async function isTaken(client: pg.Client): Promise<boolean> {
    const { rows } = await client.query<{ held: boolean }>(
      `select ${isShared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock'}($1) as held`,
      [LOCK],
    )
    return rows[0]!.held
  }

  return openLastingSession(settingsOf(address), take)
}
