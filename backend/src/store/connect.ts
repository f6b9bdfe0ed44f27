import { problem } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { createBulkhead } from '../http/bulkhead.ts'
import { LONG_FIRST_MESSAGE, survivingLostConnections } from './lost-connection.ts'
import * as schema from './schema/index.ts'

/** Where a PostgreSQL is. */
export type PostgresAddress =
  | { readonly url: string }
  | { readonly host: string; readonly port: number; readonly database?: string }

export type Database = PostgresJsDatabase<typeof schema>
/** One transaction. */
export type Tx = Parameters<Parameters<Database['transaction']>[0]>[0]

/** The role of every tenant's transaction: it owns nothing, so row-level security binds it. */
export const APP_ROLE = 'agentopia_app'
/** The setting that policies compare `account_id` with. */
export const ACCOUNT_SETTING = 'agentopia.account'

/** The rows of the product. Every access says whose it is. */
export interface Store extends AsyncDisposable {
  /**
   * A transaction in which only rows of `accountId` exist. Another account's are neither read nor written, whatever the query says.
   * @throws {ProblemError} `store-unavailable` when the database does not answer in time: nothing was changed, unless the answer to the
   *   very commit was lost. Whoever repeats a deed does it under a key.
   */
  tenant<Result>(accountId: string, act: (tx: Tx) => Promise<Result>): Promise<Result>
  /** A transaction over all accounts: for reconcilers and the uplink, never for a handler of the API. Throws as {@link tenant}. */
  system<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result>
  /** Hears a channel until it is unsubscribed. `onGap` runs after the connection was lost: messages may be missing. */
  listen(channel: string, onMessage: (payload: string) => void, onGap: () => void): Promise<() => Promise<void>>
  /** For the accounts library, which brings its own queries. */
  readonly database: Database
}

/** A transaction that got no connection within so many milliseconds is not begun: its caller is told, rather than kept. */
const PATIENCE_MS = 10_000
const MOST_WAITING = 10_000

/** Sessions give up rather than hang; all in milliseconds. */
const LIMITS = { statement_timeout: 30_000, lock_timeout: 10_000, idle_in_transaction_session_timeout: 60_000 } as const

/** What a connection may have besides: how long it lives, and who hears of its end. */
type Lasting = Pick<postgres.Options<Record<string, never>>, 'idle_timeout' | 'max_lifetime' | 'onclose'>

export function connect(
  address: PostgresAddress,
  { poolSize = 16, ...lasting }: Lasting & { readonly poolSize?: number } = {},
): postgres.Sql {
  const options: postgres.Options<Record<string, never>> = {
    max: poolSize,
    connect_timeout: 10,
    idle_timeout: 300,
    backoff: reconnectSeconds,
    onnotice: () => {},
    connection: { application_name: 'agentopia', ...LIMITS, ...LONG_FIRST_MESSAGE },
    ...lasting,
  }
  return survivingLostConnections(
    'url' in address
      ? postgres(address.url, options)
      : postgres({
          ...options,
          host: address.host,
          port: address.port,
          user: 'postgres',
          database: address.database ?? 'postgres',
        }),
  )
}

/**
 * How long a connection that was lost waits before it is made anew. The driver counts the failures of all connections together and
 * would wait for as long as 20 s: so long nobody was answered by a database that was back at once.
 */
const reconnectSeconds = (failures: number): number => (0.5 + Math.random() / 2) * Math.min(2 ** failures / 50, 1)

/** @param close Runs after the connections are closed. */
export function createStore(client: postgres.Sql, close: () => Promise<void> = async () => {}): Store {
  const database = drizzle(client, { schema })
  const connections = createBulkhead({
    atOnce: client.options.max,
    waiting: MOST_WAITING,
    of: 'transactions',
    refuse: (detail) => problem('store-unavailable', `${detail}; nothing was changed`),
  })

  function transaction<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result> {
    return orUnavailable(() => connections.enter('', { longestMs: PATIENCE_MS }, () => database.transaction(act)))
  }

  return {
    database,
    system: transaction,
    tenant: (accountId, act) =>
      transaction(async (tx) => {
        await tx.execute(
          sql`select set_config('role', ${APP_ROLE}, true), set_config(${ACCOUNT_SETTING}, ${accountId}, true)`,
        )
        return act(tx)
      }),
    async listen(channel, onMessage, onGap) {
      let first = true
      const { unlisten } = await client.listen(channel, onMessage, () => {
        if (!first) onGap()
        first = false
      })
      return unlisten
    },
    async [Symbol.asyncDispose]() {
      await client.end({ timeout: 5 })
      await close()
    },
  }
}

/** What `ask` gives. @throws {ProblemError} `store-unavailable` when the database did not answer it in time; else what it throws. */
export async function orUnavailable<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    throw isUnavailable(error)
      ? problem('store-unavailable', 'The database did not answer in time', { cause: error })
      : error
  }
}

/** SQLSTATE codes, and classes of them, that mean: not now. */
const NOT_NOW = [
  '08', // connection
  '53', // out of resources
  '57P', // shut down, crashed, starting
  '42P01', // a table is not there
  '25006', // a standby that is not the primary yet
  '25P03', // a transaction that was idle for too long
  '40001', // one of two that were at odds
  '40P01', // a deadlock
  '55P03', // a lock was not to be had in time
  '57014', // a statement took too long
]
const NO_CONNECTION =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/

/** Does an error mean that the database gave no answer, rather than that it refused? */
function isUnavailable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code
    if (typeof code === 'string' && (NO_CONNECTION.test(code) || NOT_NOW.some((begin) => code.startsWith(begin))))
      return true
  }
  return false
}

/** Would the same values be refused again? SQLSTATE classes: 22 what is no such value, 23 what a constraint forbids. */
export function isRefusedValue(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code
    if (typeof code === 'string' && /^2[23]/.test(code)) return true
  }
  return false
}

/** Did a statement meet a row that a unique index allows only once? */
export function isUniqueViolation(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ((cause as { code?: unknown }).code === '23505') return true
  return false
}
