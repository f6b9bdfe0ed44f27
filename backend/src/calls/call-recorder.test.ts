import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemError, problem } from '@agentopia/api'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { agents, calls } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { listCallRecords } from './call.store.ts'
import { openCallJournal } from './call-journal.ts'
import type { BegunCall, CallEnd } from './call-record.ts'
import { createCallRecorder } from './call-recorder.ts'

const log = pino({ level: 'silent' })
const root = mkdtempSync(join(tmpdir(), 'agentopia-recorder-'))
let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

let directories = 0
const newDirectory = () => join(root, String(++directories))
const open = (directory: string, over: Pick<Store, 'system'> = store) =>
  createCallRecorder({ store: over, journal: openCallJournal(directory, newId('call')), log, gatherMs: 10 })

const OK: CallEnd = { outcome: 'ok', code: null, durationMs: 1.25, resultBytes: 30 }
const begun = (accountId: string, change: Partial<BegunCall> = {}): BegunCall => ({
  id: newId('call'),
  accountId,
  agentId: 'agent_1',
  agentName: 'helper',
  instanceId: 'inst_1',
  instanceName: 'demo',
  capability: 'echo',
  startedAt: '2026-01-01T00:00:00.000Z',
  argumentDigest: '0'.repeat(64),
  argumentBytes: 2,
  ...change,
})
const recorded = (accountId: string) => store.tenant(accountId, (tx) => listCallRecords(tx, { limit: 1_000 }))

test('a call is in the database a moment after it ended, and only then', async () => {
  const recorder = open(newDirectory())
  const call = begun('account_a')
  recorder.begin(call)
  await recorder.flush()
  expect(await recorded('account_a')).toEqual([])
  recorder.end(call.id, OK)
  await vi.waitFor(async () => expect(await recorded('account_a')).toHaveLength(1))
  const { accountId: _, ...shown } = call
  expect(await recorded('account_a')).toEqual([{ ...shown, outcome: 'ok', durationMs: 1.25, resultBytes: 30 }])
  await recorder.stop()
})

test('a thousand calls in eight processes that are killed are a thousand records', async () => {
  const directory = newDirectory()
  const ids: string[] = []
  for (let run = 0; run < 8; run += 1) {
    const journal = openCallJournal(directory, newId('call')) // never closed: the process is gone
    for (let n = 0; n < 125; n += 1) {
      const call = begun('account_b')
      ids.push(call.id)
      journal.begin(call)
      if (n % 5) journal.end(call.id, OK)
    }
  }
  for (const time of ['first', 'again']) {
    const recorder = open(directory)
    await recorder.flush()
    await recorder.stop()
    const records = await recorded('account_b')
    expect([time, records.map(({ id }) => id).sort()]).toEqual([time, ids.toSorted()])
    expect(records.filter(({ code }) => code === 'interrupted')).toHaveLength(200)
  }
  expect(readdirSync(directory)).toEqual([])
})

test('while the database is away calls wait, in order, and arrive when it is back', async () => {
  let away = true
  const flaky: Pick<Store, 'system'> = {
    system: (act) => (away ? Promise.reject(problem('store-unavailable', 'the database is away')) : store.system(act)),
  }
  const recorder = open(newDirectory(), flaky)
  for (let n = 0; n < 3; n += 1) {
    const call = begun('account_c')
    recorder.begin(call)
    recorder.end(call.id, OK)
  }
  await expect(recorder.flush()).rejects.toBeInstanceOf(ProblemError)
  away = false
  await vi.waitFor(async () => expect(await recorded('account_c')).toHaveLength(3), { timeout: 5_000 })
  await recorder.stop()
})

test('stopped while the database is away, it leaves the calls to the next start', async () => {
  const directory = newDirectory()
  const away: Pick<Store, 'system'> = { system: () => Promise.reject(problem('store-unavailable', 'away')) }
  const recorder = open(directory, away)
  const call = begun('account_d')
  recorder.begin(call)
  recorder.end(call.id, OK)
  await recorder.stop()
  const next = open(directory)
  await next.flush()
  expect((await recorded('account_d')).map(({ id }) => id)).toEqual([call.id])
  await next.stop()
})

test('a record that the database refuses takes no other with it', async () => {
  const recorder = open(newDirectory())
  const calls = [begun('account_e'), begun('account_e', { capability: 'a\u0000b' }), begun('account_e')]
  for (const call of calls) recorder.begin(call)
  for (const call of calls) recorder.end(call.id, OK)
  await recorder.flush()
  expect((await recorded('account_e')).map(({ id }) => id).sort()).toEqual([calls[0]!.id, calls[2]!.id].sort())
  await recorder.stop()
})

test('without a journal there is no call', async () => {
  const journal = openCallJournal(newDirectory(), 'run')
  const recorder = createCallRecorder({ store, journal, log })
  journal.close()
  expect(() => recorder.begin(begun('account_f'))).toThrow(expect.objectContaining({ code: 'store-unavailable' }))
})

test('with more calls than it can hold it takes no further one', () => {
  const full = { ...openCallJournal(newDirectory(), 'run'), size: 50_000 }
  const recorder = createCallRecorder({ store, journal: full, log })
  expect(() => recorder.begin(begun('account_f'))).toThrow(expect.objectContaining({ code: 'store-unavailable' }))
})

test('an agent knows when it last called', async () => {
  const agentId = newId('agent')
  await store.system((tx) => tx.insert(agents).values({ id: agentId, accountId: 'account_g', name: 'caller' }))
  const recorder = open(newDirectory())
  const call = begun('account_g', { agentId })
  recorder.begin(call)
  recorder.end(call.id, OK)
  await recorder.stop()
  const [row] = await store.system((tx) => tx.select().from(agents))
  expect(row?.lastCallAt?.getTime()).toBeGreaterThan(Date.now() - 10_000)
})

test('records are found by agent, instance and outcome, page by page, newest first', async () => {
  const rows = Array.from({ length: 7 }, (_, n) => ({
    ...begun('account_h', { startedAt: `2026-01-01T00:00:0${n >> 1}.000Z`, agentId: `agent_${n % 2}` }),
    ...OK,
    instanceId: n === 6 ? null : 'inst_1',
    outcome: n % 3 ? ('ok' as const) : ('denied' as const),
  }))
  await store.system((tx) =>
    tx.insert(calls).values(rows.map((row) => ({ ...row, startedAt: new Date(row.startedAt) }))),
  )
  const list = (query: object) => store.tenant('account_h', (tx) => listCallRecords(tx, { limit: 100, ...query }))
  const all = await list({})
  expect(all.map(({ startedAt }) => startedAt)).toEqual(
    all
      .map(({ startedAt }) => startedAt)
      .toSorted()
      .reverse(),
  )
  expect(await list({ agentId: 'agent_1' })).toHaveLength(3)
  expect(await list({ instanceId: 'inst_1' })).toHaveLength(6)
  expect(await list({ outcome: 'denied' })).toHaveLength(3)
  const paged = []
  for (let before: { startedAt: string; id: string } | undefined; ; before = paged.at(-1)) {
    const page = await list({ limit: 2, before })
    paged.push(...page)
    if (page.length < 2) break
  }
  expect(paged).toEqual(all)
  expect(await store.tenant('account_other', (tx) => listCallRecords(tx, { limit: 9 }))).toEqual([])
})
