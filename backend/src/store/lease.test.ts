import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from './connect.ts'
import { claim, heldBy, release, releaseAbandoned } from './lease.ts'
import { instances, toolboxes } from './schema/index.ts'
import { openTestStore } from './testing.ts'

let store: Store
const id = newId('toolbox')
beforeAll(async () => {
  store = await openTestStore()
  await store.system((tx) => tx.insert(toolboxes).values({ id, accountId: 'a', name: 'box', provider: 'local' }))
})
afterAll(() => store[Symbol.asyncDispose]())

const claimAs = (owner: string) => store.system((tx) => claim(tx, toolboxes, id, owner))

test('of many who claim at once, one holds the row', async () => {
  const epochs = await Promise.all(Array.from({ length: 12 }, (_, index) => claimAs(`replica-${index}`)))
  expect(epochs.filter((epoch) => epoch !== undefined)).toHaveLength(1)
})

test('a late write of an earlier holder meets no row', async () => {
  const expire = () =>
    store.system((tx) => tx.update(toolboxes).set({ leaseUntil: sql`clock_timestamp() - interval '1 second'` }))
  await expire()
  const early = (await claimAs('early'))!
  await expire()
  const late = (await claimAs('late'))!
  const write = (epoch: number) =>
    store.system((tx) =>
      tx
        .update(toolboxes)
        .set({ statusReason: `by ${epoch}` })
        .where(heldBy(toolboxes, id, epoch))
        .returning(),
    )
  expect(await write(early)).toHaveLength(0)
  expect(await write(late)).toHaveLength(1)
})

test('a released row is free at once', async () => {
  await store.system((tx) => tx.update(toolboxes).set({ leaseUntil: null }))
  const epoch = (await claimAs('first'))!
  expect(await claimAs('second')).toBeUndefined()
  await store.system((tx) => release(tx, toolboxes, id, epoch))
  expect(await claimAs('second')).toBe(epoch + 1)
})

test('what a control plane that was killed held of tools is free at once for the next one, and its late write meets no row', async () => {
  const tool = newId('inst')
  const row = {
    id: tool,
    accountId: 'a',
    toolboxId: id,
    toolId: 'echo',
    name: 'echo',
    desired: 'running',
    config: {},
  } as const
  await store.system((tx) => tx.insert(instances).values(row))
  const claimed = (table: typeof instances | typeof toolboxes, key: string, owner: string) =>
    store.system((tx) => claim(tx, table, key, owner))
  await store.system((tx) => tx.update(toolboxes).set({ leaseUntil: null }))
  const dead = (await claimed(instances, tool, 'dead'))!
  await claimed(toolboxes, id, 'dead')
  await store.system(releaseAbandoned)
  const late = heldBy(instances, tool, dead)
  expect(await store.system((tx) => tx.update(instances).set({ generation: 7 }).where(late).returning())).toEqual([])
  expect(await claimed(instances, tool, 'next')).toBeGreaterThan(dead)
  expect(await claimed(toolboxes, id, 'next')).toBeUndefined() // its droplet may be asked for this very moment
})
