import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { newId } from '../new-id.ts'
import { settingsOf } from './address.ts'
import { connect, createStore, type Store } from './connect.ts'
import { CHANGES } from './notifications.ts'
import { openRelay, type Relay } from './relay.testing.ts'
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

describe('R03 connections that are lost', () => {
  let way: Relay
  let there: Store
  beforeAll(async () => {
    way = await openRelay(inject('postgres'))
    there = createStore(connect({ host: '127.0.0.1', port: way.port }, { poolSize: 2, answerMs: 1_500 }))
  })
  afterAll(async () => {
    await there[Symbol.asyncDispose]()
    way.close()
  })
  const one = () => there.system(async (tx) => (await tx.execute('select 1 as one')).rows)
  const refusal = { code: 'store-unavailable' }

  test('cost the transaction that is on them, and no other', async () => {
    const lost = there.system(async (tx) => {
      await tx.execute('select 1')
      way.cut()
      await tx.execute('select 2')
    })
    await expect(lost).rejects.toMatchObject(refusal)
    expect(await one()).toEqual([{ one: 1 }])
  })

  test('cost nobody anything while nobody uses them', async () => {
    await Promise.all([one(), one()])
    way.cut()
    await sleep(50)
    expect(await one()).toEqual([{ one: 1 }])
  })

  test('are noticed too when no word comes any more', async () => {
    const lost = there.system(async (tx) => {
      way.hush()
      await tx.execute('select 2')
    })
    await expect(lost).rejects.toMatchObject(refusal)
    expect(await Promise.all([one(), one(), one()])).toHaveLength(3)
  })

  test('are made anew, whenever they are lost, and however often', async () => {
    const outcomes = new Set<unknown>()
    for (let n = 0; n < 60; n += 1) {
      const asked = Promise.allSettled([one(), one(), one(), one()])
      await sleep(Math.random() * 8)
      way.cut()
      for (const { reason } of (await asked) as { reason?: { code: unknown } }[]) outcomes.add(reason?.code)
    }
    expect([...outcomes].filter((code) => code !== undefined)).toEqual([refusal.code])
    expect(await Promise.all([one(), one(), one()])).toHaveLength(3)
  })
})

test('what a URL asks of TLS is what is done, or it is refused', () => {
  const ssl = (asked: string) => settingsOf({ url: `postgres://name:word@db.example.org/agentopia${asked}` }).ssl
  expect([ssl(''), ssl('?sslmode=disable')]).toEqual([false, false])
  expect(ssl('?sslmode=require')).toEqual({ rejectUnauthorized: false })
  expect(ssl('?sslmode=verify-full')).toEqual({})
  expect(settingsOf({ host: '/run/postgresql', port: 5432 }).ssl).toBe(false)
  for (const asked of ['?sslmode=prefer', '?sslmode=verify_full', '?ssl=require'])
    expect(() => ssl(asked)).toThrow('ssl')
})

test('a statement that failed takes its transaction with it, also where nobody said so', async () => {
  const row = { id: newId('agent'), accountId: 'a', name: 'quietly' }
  const act = store.tenant('a', async (tx) => {
    await tx.insert(agents).values(row)
    await tx
      .insert(agents)
      .values(row)
      .catch(() => {})
  })
  await expect(act).rejects.toMatchObject({ cause: { message: expect.stringContaining('A statement failed') } })
})

test('what comes after the end of a transaction reaches nobody', async () => {
  let late: Promise<unknown> | undefined
  const over = Promise.withResolvers<void>()
  await store.system(async (tx) => {
    late = over.promise.then(() => tx.execute('select 1'))
  })
  over.resolve()
  await expect(late).rejects.toMatchObject({ cause: { message: 'This transaction is over' } })
})

describe('its end', () => {
  let way: Relay
  let there: Store
  beforeEach(async () => {
    way = await openRelay(inject('postgres'))
    there = createStore(connect({ host: '127.0.0.1', port: way.port }, { poolSize: 2 }))
  })
  afterEach(() => way.close())
  const listen = () =>
    there.listen(
      CHANGES,
      () => {},
      () => {},
    )

  test('waits for nobody who does not answer', async () => {
    await listen()
    const started = Promise.withResolvers<void>()
    void there.system(() => {
      started.resolve()
      return new Promise(() => {})
    })
    await started.promise
    way.hush()
    await there[Symbol.asyncDispose]()
  }, 15_000)

  test('is in order where the database is away: what is lost is listened to no more', async () => {
    const unlisten = await listen()
    way.close()
    await sleep(50)
    await unlisten()
    await there[Symbol.asyncDispose]()
  })
})
