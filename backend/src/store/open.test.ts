import { pino } from 'pino'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from './connect.ts'
import { claim } from './lease.ts'
import { openStore } from './open.ts'
import { instances, toolboxes } from './schema/index.ts'
import { openTestStore } from './testing.ts'

let store: Store
let tool: string
beforeEach(async () => {
  store = await openTestStore()
  const [toolboxId, accountId] = [newId('toolbox'), 'a']
  tool = newId('inst')
  await store.system(async (tx) => {
    await tx.insert(toolboxes).values({ id: toolboxId, accountId, name: 'box', provider: 'local' })
    await tx
      .insert(instances)
      .values({ id: tool, accountId, toolboxId, toolId: 'echo', name: 'echo', desired: 'running', config: {} })
    await claim(tx, instances, tool, 'another')
  })
})
afterEach(() => store[Symbol.asyncDispose]())

/** Another control plane on the database of this test. */
async function start(isShared: boolean): Promise<Store> {
  const { rows } = await store.database.execute<{ name: string }>('select current_database() as name')
  const { host, port } = inject('postgres')
  const databaseUrl = `postgres://postgres@localhost/${rows[0]!.name}?host=${encodeURIComponent(host)}&port=${port}`
  return openStore({ databaseUrl, dataDir: '/nowhere', isShared }, pino({ level: 'silent' }))
}

test('who has the database for itself has at once what another held: that one is dead', async () => {
  await using alone = await start(false)
  expect(await alone.system((tx) => claim(tx, instances, tool, 'next'))).toBeGreaterThan(1)
})

test('who shares the database takes nothing from another: that one may live', async () => {
  await using replica = await start(true)
  expect(await replica.system((tx) => claim(tx, instances, tool, 'next'))).toBeUndefined()
})
