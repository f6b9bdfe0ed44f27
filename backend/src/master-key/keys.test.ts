import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { createSealer, keyIdOf } from '../store/seal.ts'
import { openTestStore } from '../store/testing.ts'
import { openKeys } from './keys.ts'
import { furnishSealed, newKey, openEverything, rowsUnder } from './sealed.testing.ts'

let store: Store
beforeEach(async () => {
  store = await openTestStore()
})
afterEach(() => store[Symbol.asyncDispose]())

/** A control plane that is started with these keys; what is to be sealed anew by it at its start is. */
async function start(current: Uint8Array, ...others: Uint8Array[]) {
  const clock = manualClock()
  const stop = new AbortController()
  const log = pino({ level: 'silent' })
  const masterKeys = { current, others }
  const { sealer, rootKey, stopped } = await openKeys({
    store,
    masterKeys,
    clock,
    log,
    random: () => 1,
    signal: stop.signal,
  })
  if (others.length > 0) await expect.poll(() => clock.sleepers).toBe(1)
  return {
    sealer,
    rootKey,
    async end() {
      stop.abort()
      await stopped
    },
  }
}

test('R09 of several control planes, which are given the next key before one uses it, each opens at any moment what any has sealed', async () => {
  const [before, next] = [newKey(), newKey()]
  const first = await start(before)
  let planes = [first, await start(before)]
  const steps = [
    [before, next],
    [next, before],
  ] as const
  for (const keys of steps)
    for (const n of [0, 1]) {
      await planes[n]!.end()
      planes = planes.with(n, await start(...keys))
      for (const { sealer } of planes) await furnishSealed(store, sealer)
      for (const { sealer, rootKey } of planes) {
        expect((await openEverything(store, sealer)).failed).toEqual([])
        expect(rootKey).toEqual(first.rootKey)
      }
    }
  expect(await rowsUnder(store, keyIdOf(before))).toBe(0)
  for (const plane of planes) await plane.end()
  const last = await start(next)
  expect(last.rootKey).toEqual(first.rootKey)
  expect((await openEverything(store, createSealer(next))).failed).toEqual([])
})
