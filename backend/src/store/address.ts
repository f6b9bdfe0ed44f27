import { userInfo } from 'node:os'
import type pg from 'pg'
import { parse, toClientConfig } from 'pg-connection-string'

/** Where a PostgreSQL is. */
export type PostgresAddress =
  | { readonly url: string }
  | { readonly host: string; readonly port: number; readonly database?: string }

/** What gets no connection within so many milliseconds is not begun: its caller is told, rather than kept. */
export const PATIENCE_MS = 10_000

/** Sessions give up rather than hang; all in milliseconds. */
const LIMITS = { statement_timeout: 30_000, lock_timeout: 10_000, idle_in_transaction_session_timeout: 60_000 } as const

/** An answer that the server would have given by now is not waited for: it, or the way to it, is gone without a word. */
const ANSWER_MS = LIMITS.statement_timeout + 10_000

/** One session at an address. @throws {Error} When it is no address, or not understood. */
export const settingsOf = (address: PostgresAddress): pg.ClientConfig => ({
  ...('url' in address
    ? ofUrl(address.url)
    : {
        host: address.host,
        port: address.port,
        user: 'postgres',
        database: address.database ?? 'postgres',
        ssl: false,
      }),
  application_name: 'agentopia',
  connectionTimeoutMillis: PATIENCE_MS,
  query_timeout: ANSWER_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 30_000,
  ...LIMITS,
})

const TLS_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

/** What is asked of TLS is what is done, as `psql` does it, or the address is refused: nothing is left to the environment. */
function ofUrl(url: string): pg.ClientConfig {
  const {
    sslmode,
    ssl = false,
    ...parsed
  } = parse(url, { useLibpqCompat: true }) as ReturnType<typeof parse> & {
    readonly sslmode?: string
  }
  if (sslmode !== undefined && !TLS_MODES.includes(sslmode))
    throw new Error(`sslmode=${sslmode} is not one of ${TLS_MODES.join(', ')}`)
  if (typeof ssl === 'string') throw new Error(`ssl=${ssl} is not understood; say it by sslmode`)
  return toClientConfig({ ...parsed, ssl, user: parsed.user || userInfo().username })
}
