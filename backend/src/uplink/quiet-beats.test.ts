import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Store } from '../store/connect.ts'
import { CHANGES } from '../store/notifications.ts'
import { toolboxes } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { createQuietBeats } from './quiet-beats.ts'
import { beatOf, openUplink } from './uplink.testing.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const onToolReports = async () => {}

/** An active toolbox whose run was heard once, and what its DTMA says next. */
async function heardOnce() {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  await uplink.beat(bearer, beatOf('run', 1))
  const quiet = createQuietBeats({ store, now: uplink.clock.now, onToolReports })
  const say = (seq: number, over: object = {}) => quiet.count({ bearer, ...beatOf('run', seq), ...over })
  const seq = async () => (await uplink.row(id)).heartbeatSeq
  const change = (values: Partial<typeof toolboxes.$inferInsert>) =>
    store.system((tx) => tx.update(toolboxes).set(values).where(eq(toolboxes.id, id)))
  return { uplink, id, bearer, say, seq, change }
}

test('a life sign that says nothing new is counted, at the time of its reception', async () => {
  const { uplink, id, say } = await heardOnce()
  await uplink.clock.advance(10_000)
  expect(await say(2)).toBe(id)
  const { heartbeatSeq, lastHeartbeatAt, status } = await uplink.row(id)
  expect([heartbeatSeq, lastHeartbeatAt!.getTime(), status]).toEqual([2, uplink.clock.now(), 'active'])
})

test('those of many toolboxes are counted together, each for itself', async () => {
  const uplink = openUplink(store)
  const quiet = createQuietBeats({ store, now: uplink.clock.now, onToolReports })
  const many = await Promise.all(Array.from({ length: 20 }, () => uplink.joined()))
  for (const { bearer } of many) await uplink.beat(bearer, beatOf('run', 1))
  const counted = await Promise.all(many.map(({ bearer }, n) => quiet.count({ bearer, ...beatOf('run', 2 + n) })))
  expect(counted).toEqual(many.map(({ id }) => id))
  for (const [n, { id }] of many.entries()) expect((await uplink.row(id)).heartbeatSeq).toBe(2 + n)
})

test('those that come while others gather are counted with them, in one transaction', async () => {
  const uplink = openUplink(store)
  let transactions = 0
  const counting: Pick<Store, 'system'> = {
    system(act) {
      transactions += 1
      return store.system(act)
    },
  }
  const quiet = createQuietBeats({ store: counting, now: uplink.clock.now, onToolReports, gatherMs: 1_000 })
  const counted: Promise<string | undefined>[] = []
  const ids: string[] = []
  for (let n = 0; n < 3; n += 1) {
    const { id, bearer } = await uplink.joined()
    await uplink.beat(bearer, beatOf('run', 1))
    ids.push(id)
    counted.push(quiet.count({ bearer, ...beatOf('run', 2) }))
  }
  expect([await Promise.all(counted), transactions]).toEqual([ids, 1])
})

test.each([
  ['a repeated one', { seq: 1 }],
  ['one of another run', { runId: 'other' }],
  ['another version of DTMA', { dtmaVersion: '9.9.9' }],
  ['another word of Docker', { docker: { state: 'down', message: 'gone' } }],
  ['a token that is nobody’s', { bearer: 'dtma_nobody' }],
])('%s is left to the whole look', async (_, over) => {
  const { say, seq } = await heardOnce()
  expect(await say(2, over)).toBeUndefined()
  expect(await seq()).toBe(1)
})

test.each([
  ['is quarantined', { status: 'quarantined' }],
  ['was unresponsive', { status: 'unresponsive' }],
  ['had a wrong clock', { clockSkewMs: 60_000 }],
  ['is gone', { deletedAt: new Date() }],
  ['has a token that ran out', { bearerExpiresAt: new Date(0) }],
] as const)('a life sign of a toolbox that %s is left to the whole look', async (_, values) => {
  const { say, seq, change } = await heardOnce()
  await change(values)
  expect(await say(2)).toBeUndefined()
  expect(await seq()).toBe(1)
})

test('nobody waits for a row that is worked on, nor do others of the same moment', async () => {
  const { id, say, seq } = await heardOnce()
  await store.system(async (tx) => {
    await tx.select().from(toolboxes).where(eq(toolboxes.id, id)).for('update')
    expect(await say(2)).toBeUndefined()
  })
  expect(await say(3)).toBe(id)
  expect(await seq()).toBe(3)
})

test('two life signs of one toolbox at once: the second is looked at by itself', async () => {
  const { id, say } = await heardOnce()
  const [first, second] = await Promise.all([say(2), say(3)])
  expect([first, second]).toEqual([id, undefined])
})

test('what the database cannot count together is looked at one by one, and the next is counted', async () => {
  const { id, uplink, bearer } = await heardOnce()
  let failing = true
  const broken: Pick<Store, 'system'> = {
    system: (act) => (failing ? Promise.reject(new Error('no database')) : store.system(act)),
  }
  const quiet = createQuietBeats({ store: broken, now: uplink.clock.now, onToolReports })
  expect(await quiet.count({ bearer, ...beatOf('run', 2) })).toBeUndefined()
  failing = false
  expect(await quiet.count({ bearer, ...beatOf('run', 2) })).toBe(id)
})

test('long words of somebody who has shown nothing yet wait with nobody’s life sign', async () => {
  const { id, bearer, uplink } = await heardOnce()
  const asked: string[] = []
  const watched: Pick<Store, 'system'> = {
    system(act) {
      asked.push('statement')
      return store.system(act)
    },
  }
  const quiet = createQuietBeats({ store: watched, now: uplink.clock.now, onToolReports })
  const long = { ...beatOf('run', 2), docker: { state: 'down', message: 'x'.repeat(1 << 20) } as const }
  const strangers = Array.from({ length: 50 }, (_, n) => quiet.count({ bearer: `dtma_stranger${n}`, ...long }))
  expect(await Promise.all(strangers)).toEqual(strangers.map(() => undefined))
  expect(asked).toEqual([])
  expect(await quiet.count({ bearer, ...beatOf('run', 2) })).toBe(id)
})

test('nobody is told of a life sign that says nothing new; what is changed beside it is announced', async () => {
  const { id, say, change } = await heardOnce()
  const told: string[] = []
  const unlisten = await store.listen(
    CHANGES,
    (payload) => void told.push(payload),
    () => {},
  )
  expect(await say(2)).toBe(id)
  await change({ statusReason: 'something else' })
  await vi.waitFor(() => expect(told.map((line) => JSON.parse(line).id)).toEqual([id]))
  await unlisten()
})
