import { Call, type CallSettings, type CallVerification } from '@agentopia/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import type { CallRecord } from './call-record.ts'
import { appendCalls } from './chain.store.ts'
import { createChainSeal } from './chain-seal.ts'

const COUNT = 2_345

let plane: TestControlPlane
let owner: As
let stranger: As
const records: CallRecord[] = []

beforeAll(async () => {
  plane = await openTestControlPlane()
  owner = await signedIn(plane, 'account_home', 'owner')
  stranger = await signedIn(plane, 'account_other', 'owner')
  const [reader, writer] = [newId('agent'), newId('agent')]
  for (let n = 0; n < COUNT; n += 1)
    records.push({
      id: newId('call'),
      accountId: 'account_home',
      agentId: n % 3 ? reader : writer,
      agentName: n % 3 ? 'reader' : 'writer',
      instanceId: newId('inst'),
      instanceName: 'demo',
      capability: n === 7 ? '=cmd|"x", 100%_sure' : n % 2 ? 'echo' : 'add',
      via: 'mcp',
      instanceGeneration: 1,
      specDigest: null,
      capabilityDigest: null,
      startedAt: new Date(Date.UTC(2026, 0, 1) + Math.floor(n / 2) * 1_000).toISOString(),
      argumentDigest: '0'.repeat(64),
      argumentBytes: n,
      outcome: n % 10 ? 'ok' : 'failed',
      code: n % 10 ? null : 'tool-failed',
      durationMs: 1.5,
      resultBytes: 3,
      resultDigest: null,
    })
  // The root key of the test control plane.
  const seal = createChainSeal(Buffer.alloc(32, 7))
  for (let n = 0; n < COUNT; n += 500)
    await plane.store.system((tx) => appendCalls(tx, records.slice(n, n + 500), seal))
})
afterAll(() => plane.close())

async function read<Data>(path: string, as = owner): Promise<Data> {
  const answer = await plane.request('GET', path, as)
  expect([path, answer.status]).toEqual([path, 200])
  return (await answer.json()) as Data
}
const find = async (query: Record<string, string>) =>
  (await read<{ items: Call[] }>(`/api/calls?${new URLSearchParams({ limit: '200', ...query })}`)).items
const exported = async (query: Record<string, string> = {}, as = owner) =>
  (await plane.request('GET', `/api/calls/export?${new URLSearchParams(query)}`, as)).text()

test('calls are found by capability, time and part of a text, each as it stands', async () => {
  expect((await find({ capability: 'add' })).every(({ capability }) => capability === 'add')).toBe(true)
  const [from, to] = ['2026-01-01T00:00:10.000Z', '2026-01-01T00:00:12.000Z']
  expect((await find({ from, to })).map(({ argumentBytes }) => argumentBytes).sort()).toEqual([20, 21, 22, 23])
  expect(await find({ text: '100%_' })).toHaveLength(1)
  expect(await find({ text: '100__' })).toEqual([])
  expect(await find({ text: 'WRIT', outcome: 'failed', to: '2026-01-01T00:00:30.000Z' })).toMatchObject([
    { agentName: 'writer', outcome: 'failed' },
    { agentName: 'writer', outcome: 'failed' },
  ])
  const { id } = records[1_000]!
  expect(await find({ text: id })).toMatchObject([{ id }])
  expect(await find({ text: 'tool-failed', agentId: records[1]!.agentId })).not.toEqual([])
})

test('an export holds every call once, oldest first, as JSON lines that the contract describes', async () => {
  const lines = (await exported()).trimEnd().split('\n')
  const all = lines.map((line) => Call.parse(JSON.parse(line)))
  expect(all).toHaveLength(COUNT)
  expect(new Set(all.map(({ id }) => id))).toEqual(new Set(records.map(({ id }) => id)))
  expect(all.map(({ startedAt }) => startedAt)).toEqual(all.map(({ startedAt }) => startedAt).toSorted())
})

test('K10 an export as CSV is one row a call, and nothing in it is a formula', async () => {
  const text = await exported({ format: 'csv' })
  const rows = text.trimEnd().split('\r\n')
  expect(rows).toHaveLength(COUNT + 1)
  expect(rows.find((row) => row.includes('cmd'))).toContain(`"'=cmd|""x"", 100%_sure"`)
})

test('T04 an export is filtered as the list is, and each account has its own', async () => {
  expect((await exported({ outcome: 'failed' })).trimEnd().split('\n')).toHaveLength(Math.ceil(COUNT / 10))
  expect(await exported({}, stranger)).toBe('')
})

test('an export is sent page by page, as it is read', async () => {
  const answer = await plane.request('GET', '/api/calls/export', owner)
  expect(answer.headers.get('content-type')).toContain('application/x-ndjson')
  expect(answer.headers.get('content-disposition')).toContain('calls.ndjson')
  const reader = answer.body!.getReader()
  const { value } = await reader.read()
  expect(new TextDecoder().decode(value).trimEnd().split('\n')).toHaveLength(500)
  await reader.cancel()
})

test('the chain is verified by the account itself, and another sees nothing of it', async () => {
  const found = await read<CallVerification>('/api/calls/verification')
  expect(found).toMatchObject({ intact: true, checked: COUNT, unchained: 0, head: { sequence: COUNT } })
  const { sequence, hash } = found.head
  expect(await read(`/api/calls/verification?sequence=${sequence}&hash=${hash}`)).toMatchObject({ intact: true })
  expect(await read(`/api/calls/verification?sequence=${sequence - 1}&hash=${hash}`)).toMatchObject({ intact: false })
  expect(await read('/api/calls/verification', stranger)).toMatchObject({ checked: 0, head: { sequence: 0 } })
  expect((await plane.request('GET', '/api/calls/verification?sequence=1', owner)).status).toBe(400)
})

test('the switch and the rule for old records are those of one account, and on record', async () => {
  expect(await read<CallSettings>('/api/calls/settings')).toEqual({
    enabled: true,
    retentionDays: null,
    approvalSeconds: 300,
    secrets: 'redact',
    dataFlow: 'warn',
  })
  await plane.send('PUT', '/api/calls/switch', owner, { enabled: false })
  await plane.send('PATCH', '/api/calls/settings', owner, { retentionDays: 30 })
  expect(await read<CallSettings>('/api/calls/settings')).toMatchObject({ enabled: false, retentionDays: 30 })
  expect(await read<CallSettings>('/api/calls/settings', stranger)).toMatchObject({
    enabled: true,
    retentionDays: null,
  })
  const { items } = await read<{ items: { action: string }[] }>('/api/activity')
  expect(items.map(({ action }) => action).slice(0, 2)).toEqual(['calls.retention', 'calls.disabled'])
})

test.each(['calls?from=', 'calls?to=', 'calls/export?from=', 'calls?cursor=', 'activity?cursor='])(
  'a time that the database does not know is refused, not failed at: %s',
  async (query) => {
    for (const time of ['0000-01-01T00:00:00.000Z', '2026-02-30T00:00:00.000Z']) {
      const cursor = query.endsWith('cursor=') ? '_call_1' : ''
      const answer = await plane.request('GET', `/api/${query}${time}${cursor}`, owner)
      expect([time, answer.status]).toEqual([time, 400])
    }
  },
)
