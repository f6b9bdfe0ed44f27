import { createHash } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { callChains, calls } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { listCallRecords } from './call.store.ts'
import { hashOf } from './call-chain.ts'
import type { CallRecord } from './call-record.ts'
import { verifyCallChain } from './call-verifier.ts'
import { appendCalls, readChain } from './chain.store.ts'
import { createChainSeal } from './chain-seal.ts'
import { removeOldCalls } from './retention.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const seal = createChainSeal(Buffer.alloc(32, 7))
const signal = new AbortController().signal
const DAY_MS = 86_400_000

let accounts = 0
const newAccount = () => `account_${++accounts}`

const record = (accountId: string, change: Partial<CallRecord> = {}): CallRecord => ({
  id: newId('call'),
  accountId,
  agentId: 'agent_1',
  agentName: 'helper',
  instanceId: 'inst_1',
  instanceName: 'demo',
  capability: 'écho "x" \u2028',
  via: 'mcp',
  instanceGeneration: 3,
  specDigest: '1'.repeat(64),
  capabilityDigest: '2'.repeat(64),
  startedAt: '2026-01-01T00:00:00.123Z',
  argumentDigest: '0'.repeat(64),
  argumentBytes: 2,
  outcome: 'ok',
  code: null,
  durationMs: 0.1 + 0.2,
  resultBytes: 30,
  resultDigest: '3'.repeat(64),
  ...change,
})

const append = (records: readonly CallRecord[]) => store.system((tx) => appendCalls(tx, records, seal))
const verify = (accountId: string, known?: { sequence: number; hash: string }) =>
  verifyCallChain({ store, seal, pageSize: 3 }, accountId, { known, signal })
const chainOf = (accountId: string) =>
  store.tenant(accountId, (tx) => readChain(tx, accountId, { after: 0, last: 1e9, limit: 1_000 }))

/** What somebody does who has the whole database, and nothing else. */
const asSuperuser = (statement: ReturnType<typeof sql>) =>
  store.system(async (tx) => {
    await tx.execute(sql`set local session_replication_role = replica`) // no trigger runs
    return tx.execute(statement)
  })

/** An account with ten calls on record. */
async function tenCalls(): Promise<string> {
  const account = newAccount()
  const asked = { decidedBy: 'alice@example.com' }
  const seen = { secretsSeen: ['result:own-secret'] }
  for (let n = 0; n < 5; n += 1)
    await append([
      record(account, { ...(n % 2 === 0 ? asked : {}), ...(n > 1 ? seen : {}) }),
      record(account, { outcome: 'failed', code: 'x' }),
    ])
  return account
}

test('every record carries the hash of the one before it, over a form that anybody can compute', async () => {
  const account = await tenCalls()
  let previousHash = '0'.repeat(64)
  for (const [index, { hash, decidedBy, secretsSeen, ...rest }] of (await chainOf(account)).entries()) {
    expect(rest).toMatchObject({ sequence: index + 1, previousHash })
    // RFC 8785 by other means: members in order, no blanks.
    const more = { ...(decidedBy == null ? {} : { decidedBy }), ...(secretsSeen ? { secretsSeen } : {}) }
    const form = Object.keys(more).length === 0 ? 1 : 2
    const members = Object.entries({ ...rest, ...more, form }).sort(([a], [b]) => (a < b ? -1 : 1))
    const canonical = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
    expect(createHash('sha256').update(canonical).digest('hex')).toBe(hash)
    previousHash = hash
  }
  expect(await verify(account)).toMatchObject({ intact: true, checked: 10, unchained: 0 })
})

test('an account without calls has an intact chain of none', async () => {
  expect(await verify(newAccount())).toEqual({
    intact: true,
    checked: 0,
    head: { sequence: 0, hash: '0'.repeat(64) },
    unchained: 0,
  })
})

test('replicas that write at once make one chain without a fork, and what both bring is there once', async () => {
  const [one, other] = [newAccount(), newAccount()]
  const both = Array.from({ length: 20 }, () => record(one))
  await Promise.all(
    Array.from({ length: 12 }, (_, n) => append([...both, record(n % 2 ? one : other), record(n % 2 ? other : one)])),
  )
  expect(await verify(one)).toMatchObject({ intact: true, checked: 32 })
  expect(await verify(other)).toMatchObject({ intact: true, checked: 12 })
})

test('K08 ★ the role of the application can neither change nor remove nor add a record, nor where the chain ends', async () => {
  const account = await tenCalls()
  const refused = { cause: { code: '42501' } }
  for (const statement of [
    sql`update tool_calls set outcome = 'ok'`,
    sql`delete from tool_calls`,
    sql`truncate tool_calls`,
    sql`insert into tool_calls (id, account_id, agent_id, agent_name, capability, outcome, started_at, duration_ms, argument_digest, argument_bytes)
      values ('call_forged', ${account}, 'a', 'a', 'a', 'ok', now(), 1, '', 0)`,
    sql`update call_chains set sequence = 1`,
    sql`delete from call_chains`,
    sql`update activities set message = ''`,
    sql`delete from activities`,
  ])
    await expect(store.tenant(account, (tx) => tx.execute(statement))).rejects.toMatchObject(refused)
  expect(await verify(account)).toMatchObject({ intact: true, checked: 10 })
})

test('K08 ★ not even the owner of the tables changes or removes a record by mistake', async () => {
  const account = await tenCalls()
  for (const statement of [
    sql`update tool_calls set outcome = 'ok' where account_id = ${account}`,
    sql`delete from tool_calls where account_id = ${account}`,
    sql`truncate tool_calls`,
  ])
    await expect(store.system((tx) => tx.execute(statement))).rejects.toMatchObject({ cause: { code: '42501' } })
})

test.each([
  ['a flipped outcome', sql`update tool_calls set outcome = 'denied' where sequence = 4`, 4, 'altered'],
  [
    'one byte of a digest',
    sql`update tool_calls set argument_digest = '1' || substr(argument_digest, 2) where sequence = 7`,
    7,
    'altered',
  ],
  [
    'a time that is a millisecond later',
    sql`update tool_calls set started_at = started_at + interval '1 ms' where sequence = 2`,
    2,
    'altered',
  ],
  ['another person who approved', sql`update tool_calls set decided_by = 'bob' where sequence = 5`, 5, 'altered'],
  ['no person any more', sql`update tool_calls set decided_by = null where sequence = 5`, 5, 'altered'],
  ['a person who was not asked', sql`update tool_calls set decided_by = 'bob' where sequence = 6`, 6, 'altered'],
  ['another agent', sql`update tool_calls set agent_id = 'agent_2' where sequence = 1`, 1, 'altered'],
  ['a record moved to another place', sql`update tool_calls set sequence = 11 where sequence = 10`, 10, 'missing'],
  ['a record taken out', sql`delete from tool_calls where sequence = 5`, 5, 'missing'],
  ['the first records taken out', sql`delete from tool_calls where sequence < 3`, 1, 'missing'],
  ['the last records taken out', sql`delete from tool_calls where sequence > 8`, 9, 'missing'],
  ['the last record flipped', sql`update tool_calls set code = null where sequence = 10`, 10, 'altered'],
  ['a record added outside', sql`update tool_calls set sequence = null where sequence = 10`, 10, 'missing'],
] as const)('K08 ★ a superuser is found out: %s', async (_, statement, sequence, reason) => {
  const account = await tenCalls()
  const others = await store.system((tx) =>
    tx.select({ id: calls.id }).from(calls).where(sql`account_id <> ${account}`),
  )
  expect(others.length).toBeGreaterThan(0)
  await asSuperuser(sql`${statement} and account_id = ${account}`)
  expect(await verify(account)).toMatchObject({ intact: false, broken: { sequence, reason } })
})

test('K08 ★ a superuser who computes all hashes anew is found out, and stays found out', async () => {
  const account = await tenCalls()
  let previousHash = '0'.repeat(64)
  for (const { hash: _, ...rest } of await chainOf(account)) {
    const forged = { ...rest, previousHash, ...(rest.sequence === 4 ? { outcome: 'denied' as const } : {}) }
    const hash = hashOf(forged)
    await asSuperuser(
      sql`update tool_calls set outcome = ${forged.outcome}, previous_hash = ${previousHash}, hash = ${hash} where id = ${forged.id}`,
    )
    previousHash = hash
  }
  expect(await verify(account)).toMatchObject({ broken: { sequence: 10, reason: 'head' } })
  await asSuperuser(sql`update call_chains set hash = ${previousHash} where account_id = ${account}`)
  expect(await verify(account)).toMatchObject({ broken: { sequence: 10, reason: 'seal' } })
  await append([record(account)]) // the next call is recorded all the same, and does not put a new seal on it
  expect(await verify(account)).toMatchObject({ intact: false, broken: { sequence: 10, reason: 'seal' } })
})

test('K08 ★ a chain that was set back to an earlier state is found out by a head that was noted elsewhere', async () => {
  const account = await tenCalls()
  const earlier = (await store.system((tx) => tx.select().from(callChains))).find((row) => row.accountId === account)!
  await append([record(account), record(account)])
  const { head } = await verify(account)
  expect(await verify(account, head)).toMatchObject({ intact: true })
  await asSuperuser(sql`delete from tool_calls where account_id = ${account} and sequence > 10`)
  await asSuperuser(
    sql`update call_chains set sequence = 10, hash = ${earlier.hash}, seal = ${earlier.seal} where account_id = ${account}`,
  )
  expect(await verify(account)).toMatchObject({ intact: true, checked: 10 }) // nothing in the database shows it
  expect(await verify(account, head)).toMatchObject({ intact: false, broken: { sequence: 12, reason: 'not-found' } })
  expect(await verify(account, { sequence: 5, hash: head.hash })).toMatchObject({ broken: { reason: 'not-found' } })
})

test('records from before the chain are counted, and none can be put among them later', async () => {
  const account = newAccount()
  const old = (change: Partial<CallRecord> = {}) => {
    const { startedAt, ...rest } = record(account, change)
    return { ...rest, startedAt: new Date(startedAt) }
  }
  await store.system((tx) => tx.insert(calls).values([old(), old()]))
  await append([record(account)])
  expect(await verify(account)).toMatchObject({ intact: true, checked: 1, unchained: 2 })
  await store.system((tx) => tx.insert(calls).values(old()))
  expect(await verify(account)).toMatchObject({ intact: false, broken: { reason: 'added' } })
})

test('old records go by the rule of the account, and the chain goes on from the last one that went', async () => {
  const account = newAccount()
  const now = Date.UTC(2026, 5, 1)
  const day = (n: number) => new Date(now - n * DAY_MS).toISOString()
  for (const age of [40, 35, 31, 29, 33, 1]) await append([record(account, { startedAt: day(age) })])
  const all = await chainOf(account)
  expect(await removeOldCalls(store, seal, account, new Date(now - 30 * DAY_MS), signal)).toBe(3)
  // The fifth is old too, but stands behind one that is not: only a beginning can go.
  expect((await chainOf(account)).map(({ id }) => id)).toEqual(all.slice(3).map(({ id }) => id))
  const removed = { sequence: 3, hash: all[2]!.hash }
  expect(await verify(account)).toMatchObject({ intact: true, checked: 3, removed })
  expect(await removeOldCalls(store, seal, account, new Date(now - 30 * DAY_MS), signal)).toBe(0)
  await append([record(account)])
  expect(await verify(account)).toMatchObject({ intact: true, checked: 4, removed })
  await asSuperuser(sql`delete from tool_calls where account_id = ${account} and sequence = 4`)
  expect(await verify(account)).toMatchObject({ intact: false, broken: { sequence: 4, reason: 'missing' } })
})

test('all records may go; the next one still follows the last', async () => {
  const account = await tenCalls()
  const { head } = await verify(account)
  expect(await removeOldCalls(store, seal, account, new Date(), signal)).toBe(10)
  expect(await store.tenant(account, (tx) => listCallRecords(tx, { limit: 9 }))).toEqual([])
  await append([record(account)])
  expect(await verify(account)).toMatchObject({ intact: true, checked: 1, removed: head, head: { sequence: 11 } })
})

test('a verification that nobody waits for any more ends', async () => {
  const account = await tenCalls()
  const gone = AbortSignal.abort(new Error('gone'))
  await expect(verifyCallChain({ store, seal }, account, { signal: gone })).rejects.toThrow('gone')
})
