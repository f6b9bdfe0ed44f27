import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../log.ts'
import { connect, createStore, type Store } from './connect.ts'
import { releaseAbandoned } from './lease.ts'
import { migrate } from './migrate.ts'
import { startEmbedded } from './postgres/embedded.ts'
import { holdDatabase } from './sole-use.ts'
import { StoreError } from './store-error.ts'

export interface StoreConfig {
  /** A PostgreSQL 15 or later of your own; absent: one is run in the data directory. */
  readonly databaseUrl?: string
  readonly dataDir: string
  /** Other control planes use that database too, and know of this one. */
  readonly isShared?: boolean
}

/**
 * Opens the store, brings its schema up to date, and closes everything again when it is disposed. Whoever has it for itself waits for no
 * predecessor that was killed.
 * @throws {StoreError} With one sentence and the fix.
 */
export async function openStore(config: StoreConfig, log: Log): Promise<Store> {
  const store = await openDatabase(config, log)
  try {
    if (!config.isShared) await store.system(releaseAbandoned)
    return store
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

async function openDatabase({ databaseUrl, dataDir, isShared = false }: StoreConfig, log: Log): Promise<Store> {
  if (databaseUrl) {
    const address = { url: databaseUrl }
    await migrate(address).catch((cause: unknown) => {
      throw new StoreError(
        `The database of DATABASE_URL cannot be used: ${(cause as Error).message}`,
        'Check that it runs, and that its user may create tables and roles.',
        { cause },
      )
    })
    const hold = await holdDatabase(address, { isShared, log })
    return createStore(connect(address), async () => hold[Symbol.asyncDispose]())
  }
  const embedded = await startEmbedded(join(dataDir, 'postgres'), log)
  try {
    await migrate(embedded)
    return createStore(connect(embedded), () => embedded.stop())
  } catch (error) {
    await embedded.stop()
    throw error
  }
}

/** The directory of the database as its file system knows it: a copy is another. Empty where the server runs elsewhere. */
export const directoryOf = ({ databaseUrl, dataDir }: StoreConfig): string =>
  databaseUrl ? '' : String(statSync(join(dataDir, 'postgres', 'data'), { bigint: true }).ino)
