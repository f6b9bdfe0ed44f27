import { drizzle } from 'drizzle-orm/node-postgres'
import type pg from 'pg'
import type { Tx } from './connect.ts'
import { ask } from './one-connection.ts'

const ENDS = ['commit', 'rollback']

/**
 * One transaction on a connection. What `act` asks after it has ended reaches nobody: it would run as whoever has the connection then.
 * @throws {Error} Also when a statement failed and `act` went on, so that it was rolled back.
 */
export function transact<Result>(client: pg.PoolClient, act: (tx: Tx) => Promise<Result>): Promise<Result> {
  let isOver = false
  const session = {
    async query(asked: pg.QueryConfig, values?: unknown[]) {
      if (isOver && !ENDS.includes(asked.text)) throw new Error('This transaction is over')
      const answer = await ask(client, asked, values)
      // PostgreSQL does that, and calls it done, when a statement had failed.
      if (asked.text === 'commit' && answer.command === 'ROLLBACK')
        throw new Error('A statement failed, and its transaction went on')
      return answer
    },
  }
  return drizzle(session as unknown as pg.PoolClient).transaction(async (tx) => {
    try {
      return await act(tx)
    } finally {
      isOver = true
    }
  })
}
