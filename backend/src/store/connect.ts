import { problem } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { createBulkhead } from '../http/bulkhead.ts'
import { systemClock } from '../reconcile/clock.ts'
import { PATIENCE_MS, type PostgresAddress, settingsOf } from './address.ts'
import { isLost, orUnavailable } from './database-error.ts'
import { problemOfGone } from './gone.ts'
import { createListener, type Listener } from './listener.ts'
import { cutOff } from './one-connection.ts'
import { transact } from './one-transaction.ts'

export type Database = NodePgDatabase
/** One transaction. */
export type Tx = Parameters<Parameters<Database['transaction']>[0]>[0]

/** The role of every tenant's transaction: it owns nothing, so row-level security binds it. */
export const APP_ROLE = 'agentopia_app'
/** The setting that policies compare `account_id` with. */
export const ACCOUNT_SETTING = 'agentopia.account'

/** The rows of the product. Every access says whose it is. */
export interface Store extends AsyncDisposable, Pick<Listener, 'listen'> {
  /**
   * A transaction in which only rows of `accountId` exist. Another account's are neither read nor written, whatever the query says.
   * @throws {ProblemError} `store-unavailable` when the database does not answer in time: nothing was changed, unless the answer to the
   *   very commit was lost. Whoever repeats a deed does it under a key. `…-not-found` when a row was to refer to what has gone meanwhile.
   */
  tenant<Result>(accountId: string, act: (tx: Tx) => Promise<Result>): Promise<Result>
  /** A transaction over all accounts: for reconcilers and the uplink, never for a handler of the API. @throws {ProblemError} `store-unavailable` */
  system<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result>
  /** For the accounts library, which brings its own queries. */
  readonly database: Database
}

/**
 * Looks over all accounts within a transaction of one of them, whose bounds hold again afterwards: for what is counted together. Nothing
 * that `look` finds of others may reach the caller, and it writes nothing.
 */
export async function beyondAccount<Result>(tx: Tx, look: (tx: Tx) => Promise<Result>): Promise<Result> {
  await tx.execute(sql`select set_config('role', 'none', true)`)
  const result = await look(tx)
  await tx.execute(sql`select set_config('role', ${APP_ROLE}, true)`)
  return result
}

const MOST_WAITING = 10_000

/** A connection that nobody uses for so many milliseconds is ended. */
const IDLE_MS = 300_000

/** What ends is ended by force after so many milliseconds. */
const END_MS = 5_000

/** Connections to a database: made when they are needed, and ended when they were not for a while. */
export function connect(
  address: PostgresAddress,
  { poolSize = 16, answerMs }: { readonly poolSize?: number; readonly answerMs?: number } = {},
): pg.Pool {
  const pool = new pg.Pool({
    ...settingsOf(address),
    max: poolSize,
    idleTimeoutMillis: IDLE_MS,
    ...(answerMs === undefined ? {} : { query_timeout: answerMs }),
  })
  // Whoever uses a connection that is lost is told by the answer to what was asked; the pool makes another.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Ends all connections, those in use too when they take too long. */
async function end(pool: pg.Pool, inUse: ReadonlySet<pg.PoolClient>): Promise<void> {
  const over = new AbortController()
  const late = systemClock.sleep(END_MS, over.signal).then(() => inUse.forEach(cutOff))
  await Promise.race([pool.end(), late])
  over.abort()
}

/** @param close Runs after the connections are closed. */
export function createStore(pool: pg.Pool, close: () => Promise<void> = async () => {}): Store {
  const { listen, ...listener } = createListener(pool.options)
  const inUse = new Set<pg.PoolClient>()
  const connections = createBulkhead({
    atOnce: pool.options.max,
    waiting: MOST_WAITING,
    of: 'transactions',
    refuse: (detail) => problem('store-unavailable', `${detail}; nothing was changed`),
  })

  const transaction = <Result>(act: (tx: Tx) => Promise<Result>): Promise<Result> =>
    orUnavailable(() => connections.enter('', { longestMs: PATIENCE_MS }, () => onOneConnection(act)))

  /** On a connection that was lost while nobody used it nothing was done yet: another one is taken. */
  async function onOneConnection<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result> {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      const client = await pool.connect()
      inUse.add(client)
      let hasBegun = false
      let isGone = false
      try {
        return await transact(client, (tx) => {
          hasBegun = true
          return act(tx)
        })
      } catch (error) {
        isGone = isLost(error)
        if (hasBegun || !isGone || performance.now() >= until) throw error
      } finally {
        inUse.delete(client)
        // Nobody gets one after this that still waits for an answer, or is still in a transaction.
        client.release(isGone || client.getTransactionStatus() !== 'I')
      }
    }
  }

  return {
    listen,
    database: drizzle(pool),
    system: transaction,
    tenant: (accountId, act) =>
      transaction(async (tx) => {
        await tx.execute(
          sql`select set_config('role', ${APP_ROLE}, true), set_config(${ACCOUNT_SETTING}, ${accountId}, true)`,
        )
        return act(tx)
      }).catch((error) => {
        throw problemOfGone(error) ?? error
      }),
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      await end(pool, inUse)
      await close()
    },
  }
}
