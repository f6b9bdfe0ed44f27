import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { connect, createStore, type Store } from './connect.ts'

/** A store on a fresh database of its own, with the schema in place; dropped when it is disposed. For tests only. */
export const openTestStore = (): Promise<Store> => openCopyOf(inject('postgres').template)

/** A database of its own with everything that this store holds now: restored from a backup of this moment. For tests only. */
export async function restoredCopyOf(store: Store): Promise<Store> {
  const { rows } = await store.database.execute<{ name: string }>('select current_database() as name')
  const { name } = rows[0]!
  const { host, port } = inject('postgres')
  const admin = connect({ host, port }, { poolSize: 1 })
  // A database is copied while nobody is connected to it. Whoever is sent away connects anew, which must not be too early.
  await admin.query(`alter database ${name} with allow_connections false`)
  try {
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    return await openCopyOf(name)
  } finally {
    await admin.query(`alter database ${name} with allow_connections true`)
    await admin.end()
  }
}

async function openCopyOf(template: string): Promise<Store> {
  const { host, port } = inject('postgres')
  const database = `test_${randomBytes(6).toString('hex')}`
  const admin = connect({ host, port }, { poolSize: 1 })
  // By its files: where no disk is waited for, faster than by the log of changes.
  await admin.query(`create database ${database} template ${template} strategy file_copy`)
  return createStore(connect({ host, port, database }, { poolSize: 6 }), async () => {
    await admin.query(`drop database ${database} with (force)`)
    await admin.end()
  })
}

/** Keeps a table locked. Resolves when it is. @returns What lets it go, and resolves when it is free. */
export async function lockTable(store: Store, table: string, mode: string): Promise<() => Promise<void>> {
  const locked = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  const held = store.system(async (tx) => {
    await tx.execute(`lock table ${table} in ${mode} mode`)
    locked.resolve()
    await over.promise
  })
  await Promise.race([locked.promise, held])
  return () => {
    over.resolve()
    return held
  }
}
