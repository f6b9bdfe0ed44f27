import type postgres from 'postgres'

// What postgres.js 3.4.9 gets wrong about a connection that is lost, from the outside (its issues 1154 and 1208).

/** Of a connection that is lost the driver hears at once; should it not, the transaction is over all the same. */
const GRACE_MS = 5_000

/**
 * In a transaction whose connection is lost it writes on, to a socket that is no more, and that ends the process. So nothing is sent
 * any more from then on, its own `rollback` included: PostgreSQL has rolled back already.
 */
export function survivingLostConnections(client: postgres.Sql): postgres.Sql {
  const begin = client.begin.bind(client) as (act: Act) => Promise<unknown>
  return Object.assign(client, {
    begin(act: Act): Promise<unknown> {
      let lost: unknown
      const overdue = Promise.withResolvers<never>()
      const ended = begin(async (tx) => {
        const send = tx.unsafe.bind(tx)
        const unsafe = (...query: Parameters<typeof send>) => {
          if (lost !== undefined) throw lost
          const sent = send(...query)
          sent.catch((error: unknown) => {
            if (isLost(error)) lost ??= error
          })
          return sent
        }
        try {
          return await act(Object.assign(tx, { unsafe }))
        } catch (error) {
          if (lost === undefined && !isLost(error)) throw error
          setTimeout(() => overdue.reject(error), GRACE_MS).unref()
          return new Promise(() => {}) // `ended` is rejected by the end of the connection itself
        }
      })
      ended.catch((error: unknown) => {
        lost ??= error
      })
      return Promise.race([ended, overdue.promise])
    },
  })
}

type Act = (tx: postgres.TransactionSql) => Promise<unknown>

/** Codes of the network and the driver; and of PostgreSQL, where it says that it ends the connection. */
const isLost = (error: unknown): boolean =>
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|EPIPE|ETIMEDOUT|57P|25P03|25P04)/.test(
    String((error as { code?: unknown } | undefined)?.code),
  )

/**
 * What it wanted to send at the very moment at which a connection was lost stays in its buffer, and it waits for ever for its own
 * timer to send that before anything else. A first message of more than a kilobyte is sent at once, and empties the buffer.
 */
export const LONG_FIRST_MESSAGE = { 'agentopia.padding': '-'.repeat(1_024) } as const
