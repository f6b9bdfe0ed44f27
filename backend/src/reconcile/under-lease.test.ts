import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { settled } from './reconciler.ts'
import { underLease } from './under-lease.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

test('R02 a replica that was paused for longer than its lease writes nothing when it goes on, and does not take the row from its heir', async () => {
  const id = newId('toolbox')
  await store.system((tx) => tx.insert(toolboxes).values({ id, accountId: 'a', name: 'box', provider: 'join' }))
  const row = async () => (await store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.id, id))))[0]!
  const work = (owner: string, during: () => Promise<unknown>) =>
    underLease({ store, table: toolboxes, id, owner }, async (held) => {
      await during()
      await store.system((tx) => tx.update(toolboxes).set({ statusReason: owner }).where(held))
      return settled
    })

  await work('paused', async () => {
    expect(await work('other', async () => {})).toMatchObject({ done: false }) // while it holds the row
    // Thirty seconds by the database's clock, in which the process did not run.
    await store.system((tx) => tx.update(toolboxes).set({ leaseUntil: sql`clock_timestamp() - interval '1 ms'` }))
    await work('heir', async () => {})
    expect((await row()).statusReason).toBe('heir')
    await store.system((tx) =>
      tx.update(toolboxes).set({ leaseOwner: 'heir', leaseUntil: sql`clock_timestamp() + interval '30 s'` }),
    )
  })
  expect(await row()).toMatchObject({ statusReason: 'heir', leaseOwner: 'heir' })
  expect((await row()).leaseUntil).not.toBeNull()
})
