import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ProblemError, problem } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../new-id.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { agents, calls } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { listCallRecords } from './call.store.ts'
import { openCallJournal } from './call-journal.ts'
import type { BegunCall, CallEnd } from './call-record.ts'
import { createCallRecorder } from './call-recorder.ts'
import { verifyCallChain } from './call-verifier.ts'
import { createChainSeal } from './chain-seal.ts'

const log = pino({ level: 'silent' })
const clock = manualClock()
const seal = createChainSeal(Buffer.alloc(32, 7))
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
  createCallRecorder({
    store: over,
    journal: openCallJournal(directory, newId('call')),
    seal,
    clock,
    log,
    gatherMs: 10,
  })

const OK: CallEnd = { outcome: 'ok', code: null, durationMs: 1.25, resultBytes: 30, resultDigest: '3'.repeat(64) }
const begun = (accountId: string, change: Partial<BegunCall> = {}): BegunCall => ({
  id: newId('call'),
  accountId,
  agentId: 'agent_1',
  agentName: 'helper',
  instanceId: 'inst_1',
  instanceName: 'demo',
  capability: 'echo',
  via: 'mcp',
  instanceGeneration: 1,
  specDigest: '1'.repeat(64),
  capabilityDigest: '2'.repeat(64),
  startedAt: '2026-01-01T00:00:00.000Z',
  argumentDigest: '0'.repeat(64),
  argumentBytes: 2,
  ...change,
})
const recorded = (accountId: string) => store.tenant(accountId, (tx) => listCallRecords(tx, { limit: 1_000 }))

test('a call is in the database a moment after it ended, and only then', async () => {
  const recorder = open(newDirectory())
  const call = begun('account_a')
  await recorder.begin(call)
  await recorder.flush()
  expect(await recorded('account_a')).toEqual([])
  await recorder.end(call.id, OK)
  await vi.waitFor(async () => expect(await recorded('account_a')).toHaveLength(1))
  const { accountId: _, ...shown } = call
  const place = { sequence: 1, previousHash: '0'.repeat(64), hash: expect.stringMatching(/^[0-9a-f]{64}$/) }
  const end = { outcome: 'ok', durationMs: 1.25, resultBytes: 30, resultDigest: OK.resultDigest }
  expect(await recorded('account_a')).toEqual([{ ...shown, ...end, ...place }])
  await recorder.stop()
})

test('M19 a thousand calls in eight processes that end without a word are a thousand records', async () => {
  const directory = newDirectory()
  const ids: string[] = []
  for (let run = 0; run < 8; run += 1) {
    const journal = openCallJournal(directory, newId('call')) // never closed: the process is gone
    for (let n = 0; n < 125; n += 1) {
      const call = begun('account_b')
      ids.push(call.id)
      await journal.begin(call)
      if (n % 5) await journal.end(call.id, OK)
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

test('M19 a thousand calls in processes that are killed with -9, written by two replicas, are one chain', async () => {
  const account = 'a' // of the fixture
  const told = new Set<string>()
  const directories: string[] = []
  while (told.size < 1_000) {
    const directory = newDirectory()
    directories.push(directory)
    for (const line of await callUntilKilled(directory, 250)) told.add(line)
  }
  // Two replicas, as long as each has a journal left; and each may be a second time at what it wrote.
  for (const time of ['first', 'again'])
    await Promise.all(
      [0, 1].map(async (replica) => {
        for (const [n, directory] of directories.entries()) {
          if (n % 2 !== replica) continue
          if (time === 'first') copyFileSync(onlyFileIn(directory), join(root, `${n}.left`))
          else copyFileSync(join(root, `${n}.left`), join(directory, 'left.jsonl'))
          const recorder = open(directory)
          await recorder.flush()
          await recorder.stop()
        }
      }),
    )
  const records = await store.tenant(account, (tx) => listCallRecords(tx, { limit: 100_000 }))
  const times = new Map<string, number>()
  for (const { id } of records) times.set(id, (times.get(id) ?? 0) + 1)
  expect([...told].filter((id) => times.get(id) !== 1)).toEqual([])
  expect(records.length).toBe(times.size)
  const { intact, checked } = await verifyCallChain({ store, seal }, account, { signal: AbortSignal.timeout(30_000) })
  expect([intact, checked]).toEqual([true, records.length])
})

const onlyFileIn = (directory: string): string => join(directory, readdirSync(directory)[0]!)

/** @returns The ids of calls that a process began before it was killed. */
async function callUntilKilled(directory: string, calls: number): Promise<Set<string>> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./fixtures/caller.ts', import.meta.url)), directory])
  const ids = new Set<string>()
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop()!
    for (const line of lines) ids.add(line.split(' ')[1]!)
    if (ids.size >= calls) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.once('close', resolve))
  return ids
}

test('while the database is away calls wait, in order, and arrive when it is back', async () => {
  let away = true
  const flaky: Pick<Store, 'system'> = {
    system: (act) => (away ? Promise.reject(problem('store-unavailable', 'the database is away')) : store.system(act)),
  }
  const recorder = open(newDirectory(), flaky)
  for (let n = 0; n < 3; n += 1) {
    const call = begun('account_c')
    await recorder.begin(call)
    await recorder.end(call.id, OK)
  }
  await expect(recorder.flush()).rejects.toBeInstanceOf(ProblemError)
  away = false
  await vi.waitFor(async () => expect(await recorded('account_c')).toHaveLength(3), { timeout: 5_000 })
  await recorder.stop()
})

test('calls that end while a group is written gather for the next one, and a flush waits for it', async () => {
  const groups: number[] = []
  const gate = Promise.withResolvers<void>()
  const journal = openCallJournal(newDirectory(), newId('call'))
  const ended = journal.ended.bind(journal)
  const over: Pick<Store, 'system'> = {
    async system(act) {
      await gate.promise
      return store.system(act)
    },
  }
  const counted = {
    ...journal,
    get size() {
      return journal.size
    },
    ended(most: number) {
      const batch = ended(most)
      groups.push(batch.length)
      return batch
    },
  }
  const recorder = createCallRecorder({ store: over, journal: counted, seal, clock, log, gatherMs: 3_600_000 })
  const end = async (call: BegunCall) => {
    await recorder.begin(call)
    await recorder.end(call.id, OK)
  }
  await vi.waitFor(() => expect(groups).toEqual([0])) // what an earlier process left
  await end(begun('account_gather'))
  const first = recorder.flush()
  await vi.waitFor(() => expect(groups.at(-1)).toBe(1))
  for (let n = 0; n < 20; n += 1) await end(begun('account_gather'))
  const both = Promise.all([recorder.flush(), recorder.flush()])
  gate.resolve()
  await first
  expect(journal.size).toBe(20)
  await both
  expect(journal.size).toBe(0)
  expect(groups.filter((size) => size > 0)).toEqual([1, 20])
  expect(await recorded('account_gather')).toHaveLength(21)
  await recorder.stop()
})

test('stopped while the database is away, it leaves the calls to the next start', async () => {
  const directory = newDirectory()
  const away: Pick<Store, 'system'> = { system: () => Promise.reject(problem('store-unavailable', 'away')) }
  const recorder = open(directory, away)
  const call = begun('account_d')
  await recorder.begin(call)
  await recorder.end(call.id, OK)
  await recorder.stop()
  const next = open(directory)
  await next.flush()
  expect((await recorded('account_d')).map(({ id }) => id)).toEqual([call.id])
  await next.stop()
})

test('a record whose texts the database refuses takes no other with it, and is written with texts that it takes', async () => {
  const recorder = open(newDirectory())
  const calls = [begun('account_e'), begun('account_e', { capability: 'a\u0000\ud800b' }), begun('account_e')]
  await Promise.all(calls.map((call) => recorder.begin(call)))
  await Promise.all(calls.map((call) => recorder.end(call.id, OK)))
  await recorder.flush()
  const written = await recorded('account_e')
  expect(written.map(({ id }) => id).sort()).toEqual(calls.map(({ id }) => id).sort())
  expect(written.find(({ id }) => id === calls[1]!.id)?.capability).toBe('a\ufffd\ufffdb')
  await recorder.stop()
})

test('without a journal there is no call', async () => {
  const journal = openCallJournal(newDirectory(), 'run')
  const recorder = createCallRecorder({ store, journal, seal, clock, log })
  journal.close()
  await expect(recorder.begin(begun('account_f'))).rejects.toMatchObject({ code: 'store-unavailable' })
})

test('with more calls than it can hold it takes no further one', async () => {
  const full = { ...openCallJournal(newDirectory(), 'run'), size: 50_000 }
  const recorder = createCallRecorder({ store, journal: full, seal, clock, log })
  await expect(recorder.begin(begun('account_f'))).rejects.toMatchObject({ code: 'store-unavailable' })
})

test('an agent knows when it last called', async () => {
  const agentId = newId('agent')
  await store.system((tx) => tx.insert(agents).values({ id: agentId, accountId: 'account_g', name: 'caller' }))
  const recorder = open(newDirectory())
  const call = begun('account_g', { agentId })
  await recorder.begin(call)
  await recorder.end(call.id, OK)
  await recorder.stop()
  const [row] = await store.system((tx) => tx.select().from(agents))
  expect(row?.lastCallAt?.getTime()).toBeGreaterThan(Date.now() - 10_000)
})

test('when an agent last called is noted every few seconds, not at each call', async () => {
  const agentId = newId('agent')
  await store.system((tx) => tx.insert(agents).values({ id: agentId, accountId: 'account_n', name: 'often' }))
  const recorder = open(newDirectory())
  const notedAfterCall = async () => {
    const call = begun('account_n', { agentId })
    await recorder.begin(call)
    await recorder.end(call.id, OK)
    await recorder.flush()
    const [row] = await store.system((tx) => tx.select().from(agents).where(eq(agents.id, agentId)))
    return row?.lastCallAt?.getTime()
  }
  const first = await notedAfterCall()
  await clock.advance(5_000)
  expect(await notedAfterCall()).toBe(first)
  await clock.advance(1)
  expect(await notedAfterCall()).toBeGreaterThan(first!)
  await recorder.stop()
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
