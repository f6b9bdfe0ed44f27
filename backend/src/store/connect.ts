import { problem } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
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
   * @throws {ProblemError} `store-unavailable` when the database does not answer; nothing was changed then.
   */
  tenant<Result>(accountId: string, act: (tx: Tx) => Promise<Result>): Promise<Result>
  /** A transaction over all accounts: for reconcilers and the uplink, never for a handler of the API. Throws as {@link tenant}. */
  system<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result>
  /** Hears a channel until it is unsubscribed. `onGap` runs after the connection was lost: messages may be missing. */
  listen(channel: string, onMessage: (payload: string) => void, onGap: () => void): Promise<() => Promise<void>>
  /** For the accounts library, which brings its own queries. */
  readonly database: Database
}

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
    onnotice: () => {},
    connection: { application_name: 'agentopia', ...LIMITS },
    ...lasting,
  }
  if ('url' in address) return postgres(address.url, options)
  return postgres({
    ...options,
    host: address.host,
    port: address.port,
    user: 'postgres',
    database: address.database ?? 'postgres',
  })
}

/** @param close Runs after the connections are closed. */
export function createStore(client: postgres.Sql, close: () => Promise<void> = async () => {}): Store {
  const database = drizzle(client, { schema })

  async function transaction<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result> {
    try {
      return await database.transaction(act)
    } catch (error) {
      throw isUnavailable(error)
        ? problem('store-unavailable', 'The database did not answer; nothing was changed', { cause: error })
        : error
    }
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

/** SQLSTATE classes and client codes that mean: no answer. 08 connection, 57P shutdown, 53 out of resources; 42P01 a table is not there. */
function isUnavailable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code
    if (typeof code === 'string' && /^(08|53|57P|42P01)|^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE)/.test(code))
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
