import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.ts'
import { connect, type PostgresAddress } from './connect.ts'
import { StoreError } from './store-error.ts'

/** Of PostgreSQL's advisory locks; any number that nobody else in this database takes. */
const LOCK = 7_301_984_512
/** A predecessor that is ending has this long; one that was killed is gone at once. */
const WAIT_MS = 15_000
const LOOK_MS = 250
const RETRY_MS = 1_000

/**
 * Two control planes that do not know of each other would each take the other's toolboxes for lost. So one that is alone keeps the
 * database for itself, and several that know of each other share it. PostgreSQL forgets the lock with its connection.
 * @throws {StoreError} When others are there that do not fit.
 */
export async function holdDatabase(
  address: PostgresAddress,
  { isShared, log, waitMs = WAIT_MS }: { readonly isShared: boolean; readonly log: Log; readonly waitMs?: number },
): Promise<AsyncDisposable> {
  let isOver = false
  let retaking = Promise.resolve()
  const client = connect(address, {
    poolSize: 1,
    idle_timeout: 0,
    max_lifetime: null,
    onclose: () => {
      if (!isOver) retaking = retaking.then(retake)
    },
  })
  const take = async (): Promise<boolean> => {
    const [row] = isShared
      ? await client<{ held: boolean }[]>`select pg_try_advisory_lock_shared(${LOCK}) as held`
      : await client<{ held: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as held`
    return row!.held
  }

  /** The database was away, and the lock with it. */
  async function retake(): Promise<void> {
    for (let isTold = false; !isOver; await sleep(RETRY_MS)) {
      const held = await take().catch(() => undefined)
      if (held) return
      if (held === false && !isTold) log.error({}, 'another control plane has taken the database meanwhile')
      isTold ||= held === false
    }
  }

  async function end(): Promise<void> {
    isOver = true
    await retaking
    await client.end({ timeout: 1 })
  }

  for (const until = performance.now() + waitMs; !(await take()); await sleep(LOOK_MS)) {
    if (performance.now() < until) continue
    await end()
    throw new StoreError(
      'Another control plane works on the database of DATABASE_URL',
      'Stop it, or give each of them a REPLICA_ADDRESS.',
    )
  }
  return { [Symbol.asyncDispose]: end }
}
