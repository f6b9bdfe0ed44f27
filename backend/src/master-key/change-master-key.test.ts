import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { keyIdOf } from '../store/seal.ts'
import { openTestStore } from '../store/testing.ts'
import { changeMasterKey } from './change-master-key.ts'
import { openKeys } from './keys.ts'
import { loadMasterKeys, type MasterKeys } from './master-key.file.ts'
import { newKey } from './sealed.testing.ts'

let store: Store
let dataDir: string
beforeEach(async () => {
  store = await openTestStore()
  dataDir = mkdtempSync(join(tmpdir(), 'agentopia-key-'))
})
afterEach(async () => {
  rmSync(dataDir, { recursive: true, force: true })
  await store[Symbol.asyncDispose]()
})

const change = () => changeMasterKey(store, dataDir)
const file = (name: string) => readFileSync(join(dataDir, name), 'utf8')

/** Starts a control plane with these keys, lets it seal anew, and ends it. */
async function run(masterKeys: MasterKeys = loadMasterKeys(dataDir, {})): Promise<void> {
  const clock = manualClock()
  const stop = new AbortController()
  const log = pino({ level: 'silent' })
  const { stopped } = await openKeys({ store, masterKeys, clock, log, random: Math.random, signal: stop.signal })
  if (masterKeys.others.length > 0) await expect.poll(() => clock.sleepers).toBe(1)
  stop.abort()
  await stopped
}

test('the key is changed, and again when the change has ended', async () => {
  await run()
  const first = file('master.key')
  await change()
  expect(file('master.key.previous')).toBe(first)
  expect(file('master.key')).not.toBe(first)
  await run()
  const second = file('master.key')
  await change()
  expect(file('master.key.previous')).toBe(second)
  await run()
})

test('of several at once, one changes it and the others are refused: the key in use is kept', async () => {
  await run()
  const first = file('master.key')
  const ends = await Promise.allSettled([change(), change(), change()])
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  for (const end of ends)
    if (end.status === 'rejected') expect(end.reason.message).toContain('before this one has not ended')
  expect(file('master.key.previous')).toBe(first)
})

test('the id of the new key is told', async () => {
  await run()
  expect(await change()).toBe(keyIdOf(loadMasterKeys(dataDir, {}).current))
})

test('before the control plane was started with the new key, another change is refused: both keys stay', async () => {
  await run()
  await change()
  const [key, previous] = [file('master.key'), file('master.key.previous')]
  await expect(change()).rejects.toThrow('The change of the master key before this one has not ended')
  expect([file('master.key'), file('master.key.previous')]).toEqual([key, previous])
})

test('where the key is given to the control plane and not to the command, the file is left alone', async () => {
  await run({ current: newKey(), others: [] })
  await expect(change()).rejects.toThrow('does not use the master key of')
  loadMasterKeys(dataDir, {})
  const key = file('master.key')
  await expect(change()).rejects.toThrow('does not use the master key of')
  expect(file('master.key')).toBe(key)
})
