import pg from 'pg'
import { backoffMs } from '../reconcile/backoff.ts'
import { systemClock } from '../reconcile/clock.ts'
import { ask, endSoon } from './one-connection.ts'

/** A connection of its own, which is made anew whenever it is lost. */
export interface LastingSession extends AsyncDisposable {
  /** Asks on the connection that is there: while it is lost, this is refused. */
  ask(text: string): Promise<void>
}

const AGAIN = { firstMs: 50, longestMs: 1_000 }

/**
 * @param prepare Runs on each new connection, before it counts as there; when it throws, the next one is tried. Again: one was there before.
 * @throws What hindered the very first connection.
 */
export async function openLastingSession(
  settings: pg.ClientConfig,
  prepare: (client: pg.Client, isAgain: boolean) => Promise<void>,
): Promise<LastingSession> {
  const over = new AbortController()
  let mending = Promise.resolve()
  let current = await open(false)

  async function open(isAgain: boolean): Promise<pg.Client> {
    const client = new pg.Client(settings)
    client.on('error', () => {}) // followed by its end
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    try {
      await client.connect()
      await prepare(client, isAgain)
    } catch (error) {
      await endSoon(client)
      throw error
    }
    void ended.then(() => {
      if (!over.signal.aborted) mending = mend()
    })
    return client
  }

  async function mend(): Promise<void> {
    for (let failures = 1; !over.signal.aborted; failures += 1) {
      await systemClock.sleep(backoffMs(failures, Math.random, AGAIN), over.signal)
      const client = await open(true).catch(() => undefined) // until it can be had
      if (!client) continue
      current = client
      return
    }
  }

  return {
    ask: async (text) => void (await ask(current, text)),
    async [Symbol.asyncDispose]() {
      over.abort()
      await mending
      await endSoon(current)
    },
  }
}
