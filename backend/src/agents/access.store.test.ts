import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { furnish } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { accounts, toolbeltItems, users } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { grantAccess, hasAccess, revokeAccess } from './agent.store.ts'

let store: Store
let ids: Awaited<ReturnType<typeof furnish>>['ids']
beforeAll(async () => {
  store = await openTestStore()
  const user = { id: newId('user'), name: 'Ada', email: 'ada@example.com' }
  await store.system(async (tx) => {
    await tx.insert(accounts).values({ id: 'account_1', name: 'one', slug: 'one' })
    await tx.insert(users).values(user)
  })
  ids = (await furnish(store, 'account_1', user.id)).ids
})
afterAll(() => store[Symbol.asyncDispose]())

const items = () => store.system((tx) => tx.select().from(toolbeltItems).where(eq(toolbeltItems.agentId, ids.agentId)))

test('an item that is put there while the access is taken away does not outlive it: given again, it gives nothing', async () => {
  const { agentId, toolboxId, instanceId } = ids
  const accountId = 'account_1'
  await store.system((tx) => revokeAccess(tx, agentId, toolboxId))
  expect(await items()).toEqual([])
  const allowed = await store.tenant(accountId, async (tx) => {
    await grantAccess(tx, { accountId, id: agentId } as Parameters<typeof grantAccess>[1], toolboxId)
    return hasAccess(tx, agentId, toolboxId)
  })
  expect(allowed).toBe(true)

  const [looked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const adding = store.tenant(accountId, async (tx) => {
    expect(await hasAccess(tx, agentId, toolboxId)).toBe(true)
    looked.resolve()
    await go.promise
    await tx.insert(toolbeltItems).values({ id: newId('belt'), accountId, agentId, instanceId })
  })
  await looked.promise
  const revoking = store.tenant(accountId, (tx) => revokeAccess(tx, agentId, toolboxId))
  const revoked = vi.fn()
  void revoking.then(revoked)
  // It waits at a lock, or is through already.
  await vi.waitFor(async () => {
    const { rows } = await store.system((tx) =>
      tx.execute("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"),
    )
    expect(rows.length > 0 || revoked.mock.calls.length > 0).toBe(true)
  })
  go.resolve()
  await Promise.all([adding, revoking])
  expect(await items()).toEqual([])
  expect(await store.tenant(accountId, (tx) => hasAccess(tx, agentId, toolboxId))).toBe(false)
})
