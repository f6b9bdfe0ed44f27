import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { accounts, registryCredentials, rootKeys } from '../store/schema/index.ts'
import { createSealer, keyIdIn, keyIdOf } from '../store/seal.ts'
import { StoreError } from '../store/store-error.ts'
import { openTestStore } from '../store/testing.ts'
import { findRootKey, openRootKey, resealRootKey } from './root-key.store.ts'
import { furnishSealed, newKey } from './sealed.testing.ts'

let store: Store
beforeEach(async () => {
  store = await openTestStore()
})
afterEach(() => store[Symbol.asyncDispose]())

const [one, other, third] = [newKey(), newKey(), newKey()]
const open = (current: Uint8Array, ...others: Uint8Array[]) =>
  store.system((tx) => openRootKey(tx, createSealer(current, others), { current, others }))

/** As a control plane left it that knew of no root keys. */
const older = () => store.system((tx) => tx.insert(accounts).values({ id: 'a', name: 'a', slug: 'a' }))

test('a new database gets a root key of its own, which is the same at every start', async () => {
  const rootKey = await open(one)
  expect(rootKey).toHaveLength(32)
  expect(rootKey).not.toEqual(one)
  expect(await open(one)).toEqual(rootKey)
})

test('R09 control planes that start at once on a new database all get the same', async () => {
  const keys = await Promise.all(Array.from({ length: 6 }, () => open(one)))
  expect(new Set(keys.map(String)).size).toBe(1)
})

test('R09 in a database from before the master key is the root key: what was derived from it stays', async () => {
  await older()
  expect(await open(one)).toEqual(one)
  expect(await open(other, one)).toEqual(one)
})

test('R09 where the master key is changed in the same moment, it is the one that the secrets are sealed under', async () => {
  await furnishSealed(store, createSealer(one))
  expect(await open(other, one)).toEqual(one)
})

test('R09 another key is refused, in a database from before and in any other, and the one that is wanted is named', async () => {
  await furnishSealed(store, createSealer(one))
  const refusal = `wants the master key ${keyIdOf(one)}, and is given ${keyIdOf(other)} and ${keyIdOf(third)}`
  await expect(open(other, third)).rejects.toThrow(refusal)
  expect(await store.system(findRootKey)).toBeUndefined()
  await open(one)
  await expect(open(other, third)).rejects.toThrow(refusal)
  await expect(open(other)).rejects.toThrow(StoreError)
})

test('a root key that somebody changed is refused', async () => {
  await open(one)
  const sealedKey = createSealer(one).seal('mine', { purpose: 'ssh-key', accountId: '', recordId: 'this' })
  await store.system((tx) => tx.update(rootKeys).set({ sealedKey }))
  await expect(open(one)).rejects.toThrow('The root key in the database was changed')
})

test('sealed anew it is the same key, once', async () => {
  const rootKey = await open(one)
  const reseal = () => store.system((tx) => resealRootKey(tx, createSealer(other, [one])))
  expect([await reseal(), await reseal()]).toEqual([true, false])
  expect(keyIdIn((await store.system(findRootKey))!)).toBe(keyIdOf(other))
  expect(await open(other)).toEqual(rootKey)
})

test('nobody but the control plane itself reads it', async () => {
  await open(one)
  await expect(store.tenant('a', (tx) => tx.select().from(rootKeys))).rejects.toThrow()
  expect(await store.tenant('a', (tx) => tx.select().from(registryCredentials))).toEqual([])
})
