import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { connect, createStore, type Store } from './connect.ts'

/** A store on a fresh database of its own, with the schema in place; dropped when it is disposed. For tests only. */
export async function openTestStore(): Promise<Store> {
  const { host, port, template } = inject('postgres')
  const database = `test_${randomBytes(6).toString('hex')}`
  const admin = connect({ host, port }, { poolSize: 1 })
  await admin.unsafe(`create database ${database} template ${template}`)
  return createStore(connect({ host, port, database }, { poolSize: 6 }), async () => {
    await admin.unsafe(`drop database ${database} with (force)`)
    await admin.end()
  })
}
