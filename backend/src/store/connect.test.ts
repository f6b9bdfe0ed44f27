import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from './connect.ts'
import { CHANGES } from './notifications.ts'
import { agents, toolboxes } from './schema/index.ts'
import { openTestStore } from './testing.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

test('a transaction that fails leaves nothing behind', async () => {
  const failing = store.tenant('a', async (tx) => {
    await tx.insert(agents).values({ id: newId('agent'), accountId: 'a', name: 'half' })
    throw new Error('on the way')
  })
  await expect(failing).rejects.toThrow('on the way')
  expect(await store.tenant('a', (tx) => tx.select().from(agents))).toEqual([])
})

test('announces what changed, to whom it belongs, and nothing of its content', async () => {
  const heard: string[] = []
  const unlisten = await store.listen(
    CHANGES,
    (payload) => heard.push(payload),
    () => {},
  )
  const id = newId('agent')
  await store.tenant('a', (tx) => tx.insert(agents).values({ id, accountId: 'a', name: 'announced' }))
  await vi.waitFor(() => expect(heard.map((line) => JSON.parse(line))).toEqual([{ noun: 'agent', account: 'a', id }]))
  await unlisten()
})

test('a heartbeat alone is not announced', async () => {
  const id = newId('toolbox')
  await store.system((tx) => tx.insert(toolboxes).values({ id, accountId: 'a', name: 'quiet', provider: 'local' }))
  const heard: string[] = []
  const unlisten = await store.listen(
    CHANGES,
    (payload) => heard.push(payload),
    () => {},
  )
  await store.system((tx) => tx.update(toolboxes).set({ lastHeartbeatAt: sql`now()`, heartbeatSeq: 7 }))
  await store.system((tx) => tx.update(toolboxes).set({ status: 'active' }))
  await vi.waitFor(() => expect(heard).toHaveLength(1))
  await unlisten()
})

test('says so when the connection of a listener was lost and is back', async () => {
  let gaps = 0
  const unlisten = await store.listen(
    CHANGES,
    () => {},
    () => {
      gaps += 1
    },
  )
  await store.system((tx) =>
    tx.execute(
      sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'`,
    ),
  )
  await vi.waitFor(() => expect(gaps).toBe(1), 10_000)
  await unlisten()
})
