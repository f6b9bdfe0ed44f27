import type { Socket } from 'node:net'
import type pg from 'pg'
import { isSilent } from './database-error.ts'

type Client = pg.Client | pg.PoolClient

/** A goodbye that nobody hears is not waited for any longer; milliseconds. */
const GOODBYE_MS = 2_000

/** Ends a connection where it stands: whoever waits for an answer is told that there will be none. */
export function cutOff(client: Client): void {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection
  stream.destroy()
}

/** Ends a connection in order, or without. */
export async function endSoon(client: pg.Client): Promise<void> {
  const late = setTimeout(() => cutOff(client), GOODBYE_MS)
  await client.end()
  clearTimeout(late)
}

/** Asks. A connection on which no answer came in time is cut off: what is asked after that would wait behind it. */
export async function ask(
  client: Client,
  query: string | pg.QueryConfig,
  values?: unknown[],
): Promise<pg.QueryResult<Record<string, unknown>>> {
  try {
    return await client.query<Record<string, unknown>>(query as pg.QueryConfig, values)
  } catch (error) {
    if (isSilent(error)) cutOff(client)
    throw error
  }
}
