import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newId } from '../new-id.ts'
import { payloadOf } from '../payloads/payload.store.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { activities, callPayloads, providers, registryCredentials } from '../store/schema/index.ts'
import { createSealer, keyIdIn, keyIdOf } from '../store/seal.ts'
import { openTestStore, restoredCopyOf } from '../store/testing.ts'
import { keepResealing, type ResealDeps, resealAll } from './reseal.job.ts'
import { resealSome } from './reseal.store.ts'
import { findRootKey, openRootKey } from './root-key.store.ts'
import { furnishSealed, insertPayloads, newKey, openEverything, rowsUnder, STORED } from './sealed.testing.ts'
import { SEALED_AT, type SealedColumn } from './sealed-columns.ts'

// What is sealed under the master key before is sealed under the present one, while others work.

const [before, present] = [newKey(), newKey()]
const old = createSealer(before)
const sealer = createSealer(present, [before])
const onlyPresent = createSealer(present)

let store: Store
let stop: AbortController
let said: { msg: string; count?: number; missingKeyId?: string }[]
beforeEach(async () => {
  store = await openTestStore()
  stop = new AbortController()
  said = []
  await store.system((tx) => openRootKey(tx, old, { current: before, others: [] }))
})
afterEach(() => store[Symbol.asyncDispose]())

const deps = (more: Partial<ResealDeps> = {}): ResealDeps => ({
  store,
  sealer,
  others: [keyIdOf(before)],
  clock: manualClock(),
  log: pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line)) }),
  random: () => 1,
  signal: stop.signal,
  ...more,
})

/** Opens all under the present key alone. */
async function expectAllToOpen(): Promise<void> {
  const { opened, failed } = await openEverything(store, onlyPresent)
  expect(failed).toEqual([])
  expect([...opened.values()].every((texts) => texts.length > 0)).toBe(true)
  expect(await rowsUnder(store, keyIdOf(before))).toBe(0)
}

/** Many calls whose payloads are kept. @returns their ids. */
async function manyPayloads(count: number): Promise<string[]> {
  const { accountId, ids } = await furnishSealed(store, old)
  const callIds = Array.from({ length: count }, () => newId('call'))
  await store.system((tx) => insertPayloads(tx, old, { accountId, ...ids }, callIds))
  return callIds
}

test('every sealed text of every account is sealed under the present key, and says the same; once is enough', async () => {
  const accountIds = [(await furnishSealed(store, old)).accountId, (await furnishSealed(store, old)).accountId]
  const told = await openEverything(store, old)
  expect(await resealAll(deps())).toBe(2 * STORED.length + 1) // and the root key
  await expectAllToOpen()
  expect((await openEverything(store, onlyPresent)).opened).toEqual(told.opened)
  expect(await resealAll(deps())).toBe(0)
  const activity = await store.system((tx) => tx.select().from(activities))
  expect(activity.map(({ accountId, action }) => [accountId, action]).sort()).toEqual(
    accountIds.sort().map((id) => [id, 'master-key.changed']),
  )
  expect(activity[0]?.message).toContain(`under the master key ${keyIdOf(present)}`)
})

test('what is sealed under the present key already is left alone', async () => {
  await furnishSealed(store, onlyPresent)
  const read = () => store.system((tx) => tx.select().from(registryCredentials).orderBy(registryCredentials.accountId))
  const rows = await read()
  expect(await resealAll(deps())).toBe(1) // the root key
  expect(await read()).toEqual(rows)
})

test('a control plane that seals back under the key before says so: the id of the key tells which change it was', async () => {
  await furnishSealed(store, old)
  await resealAll(deps())
  await resealAll(deps({ sealer: createSealer(before, [present]), others: [keyIdOf(present)] }))
  const activity = await store.system((tx) => tx.select().from(activities).orderBy(activities.at))
  expect(activity.map(({ message }) => message)).toEqual([
    expect.stringContaining(keyIdOf(present)),
    expect.stringContaining(keyIdOf(before)),
  ])
})

test('R09 a change that is under way while its row is looked at is not lost, and is found the next time', async () => {
  await furnishSealed(store, old)
  const written = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  const writing = store.system(async (tx) => {
    const [row] = await tx.select().from(registryCredentials)
    const belongsTo = { purpose: 'registry-password', accountId: row!.accountId, recordId: row!.registry } as const
    await tx.update(registryCredentials).set({ password: old.seal('the new one', belongsTo) })
    written.resolve()
    await over.promise
  })
  await written.promise
  await expect(resealAll(deps())).rejects.toThrow('1 rows were in use')
  over.resolve()
  await writing
  await resealAll(deps())
  await expectAllToOpen()
  expect((await openEverything(store, onlyPresent)).opened.get('registry-password')).toEqual(['the new one'])
})

test('R09 under writers who seal under either key, the last word of each counts', async () => {
  const callIds = await manyPayloads(60)
  const [row] = await store.system((tx) => tx.select().from(callPayloads).limit(1))
  const last = new Map<string, string>()
  let isOver = false
  const write = async (one: number) => {
    for (let n = 0; !isOver; n += 1) {
      const callId = callIds[(n * 7 + one) % callIds.length]!
      const text = `${one} ${n}`
      const belongsTo = { purpose: 'call-payload', accountId: row!.accountId, recordId: callId } as const
      const sealed = (n % 2 === 0 ? old : sealer).seal(text, belongsTo)
      await store.system(async (tx) => {
        await tx.update(callPayloads).set({ sealed }).where(eq(callPayloads.callId, callId))
        last.set(callId, text) // while the row is ours
      })
    }
  }
  const writers = [0, 1, 2].map(write)
  for (let n = 0; n < 15; n += 1) await resealAll(deps()).catch(() => 0)
  isOver = true
  await Promise.all(writers)
  await resealAll(deps())
  const rows = await store.system((tx) => tx.select().from(callPayloads))
  expect(last.size).toBe(60)
  for (const { callId, accountId, sealed } of rows.filter((one) => last.has(one.callId)))
    expect(onlyPresent.open(sealed, { purpose: 'call-payload', accountId, recordId: callId })).toBe(last.get(callId))
})

test('R09 ended in the middle, it goes on where it was: what is done is done, and everything opens at any moment', async () => {
  await manyPayloads(650)
  const left: number[] = []
  for (const lives of [0, 3, 10, 11, 12]) {
    let transactions = 0
    const dying: ResealDeps['store'] = {
      system: (act) => (transactions++ < lives ? store.system(act) : Promise.reject(new Error('killed'))),
    }
    await expect(resealAll(deps({ store: dying }))).rejects.toThrow('killed')
    left.push(await rowsUnder(store, keyIdOf(before)))
    expect((await openEverything(store, sealer)).failed).toEqual([])
  }
  expect(left).toEqual([662, 659, 453, 253, 53])
  expect(await resealAll(deps())).toBe(53)
  await expectAllToOpen()
})

test('R09 two control planes share the work', async () => {
  await manyPayloads(450)
  const pass = async () => {
    for (;;)
      try {
        return await resealAll(deps())
      } catch {} // the other one had some of the rows
  }
  await Promise.all([pass(), pass()])
  await expectAllToOpen()
})

test('it says once that nothing is left, and looks again every hour for what others seal under the key before', async () => {
  const clock = manualClock()
  await furnishSealed(store, old)
  const running = keepResealing(deps({ clock }))
  const saidAtEnd = () => said.filter(({ msg }) => msg.startsWith('nothing in the database')).length
  await expect.poll(saidAtEnd).toBe(1)
  await expect.poll(() => clock.sleepers).toBe(1)
  await clock.advance(3_600_000)
  await expect.poll(() => clock.sleepers).toBe(1)
  expect(saidAtEnd()).toBe(1)

  await furnishSealed(store, old)
  await clock.advance(3_600_000)
  await expect.poll(saidAtEnd).toBe(2)
  await expectAllToOpen()
  stop.abort()
  await running
})

test('R09 while the database cannot be asked it waits longer each time, and then goes on', async () => {
  const clock = manualClock()
  await furnishSealed(store, old)
  let isAway = true
  const away: ResealDeps['store'] = {
    system: (act) => (isAway ? Promise.reject(new Error('away')) : store.system(act)),
  }
  const running = keepResealing(deps({ clock, store: away }))
  await clock.advance(3_000)
  expect(said.filter(({ msg }) => msg.startsWith('not all is sealed'))).toHaveLength(3) // at 0, 1 and 3 s
  isAway = false
  await clock.advance(4_000)
  await expect.poll(() => said.at(-1)?.msg).toMatch(/^nothing in the database/)
  await expectAllToOpen()
  stop.abort()
  await running
})

test('R07 R09 a backup from before the change is refused without the key of its time, and with it is sealed under the present one', async () => {
  await furnishSealed(store, old)
  const openWith = (from: Store, ...others: Uint8Array[]) =>
    from.system((tx) => openRootKey(tx, createSealer(present, others), { current: present, others }))
  const rootKey = await openWith(store, before)
  const backup = await restoredCopyOf(store)
  try {
    await resealAll(deps())
    await expect(openWith(backup)).rejects.toThrow(`wants the master key ${keyIdOf(before)}`)
    expect(await openWith(backup, before)).toEqual(rootKey)
    await resealAll(deps({ store: backup }))
    expect(await openWith(backup)).toEqual(rootKey)
    expect((await openEverything(backup, onlyPresent)).failed).toEqual([])
  } finally {
    await backup[Symbol.asyncDispose]()
  }
})

test('R09 a text that was swapped by hand keeps the root key under the key before, and is named', async () => {
  const { accountId } = await furnishSealed(store, old)
  await store.system((tx) => tx.update(providers).set({ accountId: 'another' }))
  await expect(resealAll(deps())).rejects.toThrow('1 sealed texts do not open')
  expect(said.at(-1)).toMatchObject({
    count: 1,
    firstBroken: { purpose: 'provider-token', accountId: 'another', recordId: 'digitalocean' },
  })
  expect(await rowsUnder(store, keyIdOf(before))).toBe(2) // and the root key
  await store.system((tx) => tx.update(providers).set({ accountId }))
  await resealAll(deps())
  await expectAllToOpen()
})

test('without another key it looks once whether one is missing, and changes nothing', async () => {
  await resealAll(deps())
  await furnishSealed(store, onlyPresent)
  await keepResealing(deps({ sealer: onlyPresent, others: [] }))
  expect(said).toEqual([])
})

const third = newKey()
const MISSING = 'stored secrets are sealed under a master key that is not given: start with it in OTHER_MASTER_KEY, too'
/** What the log says of the keys that are missing. */
const missing = () => said.filter(({ msg }) => msg === MISSING).map(({ missingKeyId, count }) => [missingKeyId, count])
const toldMissing = async () =>
  (await store.system((tx) => tx.select().from(activities).where(eq(activities.action, 'master-key.missing')))).map(
    ({ accountId, message }) => [accountId, message],
  )
const rootKeyUnder = async () => keyIdIn((await store.system(findRootKey))!)

test('R09 texts under a third key keep the change from ending: the key is named, in the log each time and to every account once; given too, it ends', async () => {
  const { accountId } = await furnishSealed(store, old)
  await furnishSealed(store, createSealer(third))
  const clock = manualClock()
  const running = keepResealing(deps({ clock }))
  await expect.poll(() => clock.sleepers).toBe(1)
  await clock.advance(1_000)
  await expect.poll(missing).toEqual([
    [keyIdOf(third), STORED.length],
    [keyIdOf(third), STORED.length],
  ])
  stop.abort()
  await running
  expect(await rowsUnder(store, keyIdOf(before))).toBe(1) // the root key
  expect(await rootKeyUnder()).toBe(keyIdOf(before))
  expect(await toldMissing()).toHaveLength(2)
  expect(await toldMissing()).toContainEqual([accountId, expect.stringContaining(keyIdOf(third))])
  expect(said.some(({ msg }) => msg.startsWith('nothing in the database'))).toBe(false)

  stop = new AbortController()
  const all = createSealer(present, [before, third])
  expect(await resealAll(deps({ sealer: all, others: [before, third].map(keyIdOf) }))).toBe(STORED.length + 1)
  expect(await rootKeyUnder()).toBe(keyIdOf(present))
  await expectAllToOpen()
})

test('R07 R09 a backup from the middle of a change, started with the key before alone, is looked at once, and the key that is missing is named', async () => {
  await furnishSealed(store, old)
  await furnishSealed(store, onlyPresent)
  const clock = manualClock()
  await keepResealing(deps({ sealer: old, others: [], clock }))
  expect(missing()).toEqual([[keyIdOf(present), STORED.length]])
  expect(await toldMissing()).toHaveLength(2)
  expect(clock.sleepers).toBe(0)
  await resealAll(deps())
  await expectAllToOpen()
})

test('R09 what another control plane sealed under the key before, after the change had ended here, is missed by whoever starts without that key', async () => {
  await furnishSealed(store, old)
  await resealAll(deps())
  await furnishSealed(store, old)
  await keepResealing(deps({ sealer: onlyPresent, others: [] }))
  expect(missing()).toEqual([[keyIdOf(before), STORED.length]])
})

test('while the database cannot be asked whether a key is missing, it is asked again', async () => {
  await resealAll(deps())
  await furnishSealed(store, old)
  const clock = manualClock()
  let isAway = true
  const away: ResealDeps['store'] = {
    system: (act) => (isAway ? Promise.reject(new Error('away')) : store.system(act)),
  }
  const running = keepResealing(deps({ sealer: onlyPresent, others: [], clock, store: away }))
  await expect.poll(() => clock.sleepers).toBe(1)
  expect(said.map(({ msg }) => msg)).toEqual(['whether a master key is missing is not known; looked at again'])
  isAway = false
  await clock.advance(1_000)
  await running
  expect(missing()).toEqual([[keyIdOf(before), STORED.length]])
})

test('a text that was put there and is not sealed at all is named, and no key is missed for it', async () => {
  await furnishSealed(store, onlyPresent)
  await store.system((tx) => tx.update(providers).set({ token: 'plain' }))
  await expect(resealAll(deps())).rejects.toThrow('1 sealed texts do not open')
  expect(said.at(-1)).toMatchObject({ count: 1, firstBroken: { purpose: 'provider-token' } })
  expect(await toldMissing()).toEqual([])
})

test('R09 large texts are sealed anew a few at a time, and one that is larger than that by itself', async () => {
  const { accountId, ids } = await furnishSealed(store, onlyPresent)
  const column = SEALED_AT['call-payload'] as SealedColumn
  await store.system(async (tx) => {
    await tx.delete(callPayloads)
    for (const [n, mb] of [2, 2, 2, 2, 2, 7, 2].entries()) {
      const callId = `call_${n}`
      await insertPayloads(tx, old, { accountId, ...ids }, [callId])
      const sealed = old.seal('x'.repeat(mb * 1_000_000), payloadOf({ accountId, callId }))
      await tx.update(callPayloads).set({ sealed }).where(eq(callPayloads.callId, callId))
    }
  })
  const counts: number[] = []
  for (let after: readonly string[] | undefined; ; ) {
    const look = await store.system((tx) => resealSome(tx, column, sealer, [keyIdOf(before)], after))
    counts.push(look.resealed)
    after = look.last
    if (!after) break
  }
  expect(counts).toEqual([3, 2, 1, 1])
  const { opened, failed } = await openEverything(store, onlyPresent)
  expect(failed).toEqual([])
  expect(
    opened
      .get('call-payload')
      ?.map(({ length }) => length / 1_000_000)
      .sort(),
  ).toEqual([2, 2, 2, 2, 2, 2, 7])
})

test('it stops at the signal', async () => {
  await manyPayloads(450)
  stop.abort()
  await expect(resealAll(deps())).rejects.toThrow()
  expect(await rowsUnder(store, keyIdOf(before))).toBeGreaterThan(450)
  await keepResealing(deps())
})
