import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { ensureLocalToolbox } from './local-toolbox.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

test('this machine becomes one toolbox of the account, however often and at once it is asked for', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, () => ensureLocalToolbox(store, 'a')))
  expect(new Set([...ids, await ensureLocalToolbox(store, 'a')]).size).toBe(1)
  expect(await store.system((tx) => tx.select().from(toolboxes))).toMatchObject([
    { name: 'local', provider: 'local', status: 'pending_provision', desired: 'present' },
  ])
})

test('each account has its own', async () => {
  expect(await ensureLocalToolbox(store, 'b')).not.toBe(await ensureLocalToolbox(store, 'a'))
})
