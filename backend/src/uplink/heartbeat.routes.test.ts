import type { ToolStatus } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { activities, instances, toolboxes } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { applyToolReports } from '../tools/instance.report.ts'
import { authenticateDtma } from './authenticate.ts'
import { beatOf, insertToolbox, newKey, openUplink } from './uplink.testing.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const system = {
  cpus: 2,
  cpuUsage: 0.5,
  memoryBytes: 1,
  memoryUsedBytes: 1,
  diskBytes: 1,
  diskUsedBytes: 1,
  networkRxBytes: 1,
  networkTxBytes: 1,
  loadAverage: 0.1,
  uptimeSeconds: 5,
}
const tool = (name: string, over: Partial<ToolStatus> = {}): ToolStatus => ({
  name,
  generation: 1,
  desired: 'running',
  state: 'running',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
  ...over,
})
const activityOf = (id: string) =>
  store.system((tx) => tx.select().from(activities).where(eq(activities.subject, id)).orderBy(activities.at))
const insertInstance = async (toolboxId: string, accountId: string): Promise<string> => {
  const id = newId('inst')
  const values = { id, accountId, toolboxId, toolId: 'everything', name: id, desired: 'running', config: {} } as const
  await store.system((tx) => tx.insert(instances).values(values))
  return id
}
const instanceRow = async (id: string) =>
  (await store.system((tx) => tx.select().from(instances).where(eq(instances.id, id))))[0]!

test('the first heartbeat makes an enrolled toolbox active, by the clock of the control plane', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  const { status, json } = await uplink.beat(bearer, beatOf('run-1', 1))

  expect([status, json]).toEqual([
    200,
    { nextInSeconds: 10, packages: { npm: 'https://npm.example' }, wantReport: true },
  ])
  const row = await uplink.row(id)
  expect(row).toMatchObject({ status: 'active', runId: 'run-1', heartbeatSeq: 1, docker: { state: 'ok' } })
  expect(row.lastHeartbeatAt!.getTime()).toBe(uplink.clock.now())
  expect((await activityOf(id)).map(({ action }) => action)).toEqual(['toolbox.enrolled', 'toolbox.active'])
  expect(uplink.news).toEqual([id])
})

test('a life sign after silence brings an unresponsive toolbox back', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  await uplink.beat(bearer, beatOf('r', 1))
  await store.system((tx) => tx.update(toolboxes).set({ status: 'unresponsive' }).where(eq(toolboxes.id, id)))
  await uplink.clock.advance(90_000)
  await uplink.beat(bearer, beatOf('r', 2))
  expect((await uplink.row(id)).status).toBe('active')
  expect((await activityOf(id)).at(-1)!.message).toContain('back after 90 s of silence')
})

test.each(['quarantined', 'pending_deprovision', 'resizing'] as const)(
  'a heartbeat does not end the status %s',
  async (status) => {
    const uplink = openUplink(store)
    const { id, bearer } = await uplink.joined()
    await store.system((tx) => tx.update(toolboxes).set({ status }).where(eq(toolboxes.id, id)))
    expect((await uplink.beat(bearer, beatOf('r', 1))).status).toBe(200)
    expect((await uplink.row(id)).status).toBe(status)
  },
)

test('a report is asked for until one of this run was stored', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  const wants = async (runId: string, seq: number, over = {}) =>
    (await uplink.beat(bearer, beatOf(runId, seq, over))).json.wantReport
  expect(await wants('a', 1)).toBe(true)
  expect(await wants('a', 2, { system, tools: [] })).toBe(false)
  expect(await wants('a', 3)).toBe(false)
  expect(await wants('b', 1)).toBe(true)
  expect((await uplink.row(id)).system).toEqual(system)
})

test('a report is news when it says something else than the one before, or is the first of its run', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  const isNews = async (runId: string, seq: number, over = {}) => {
    const before = uplink.news.length
    await uplink.beat(bearer, beatOf(runId, seq, over))
    return uplink.news.length > before
  }
  expect(await isNews('a', 1, { system, tools: [tool('one')] })).toBe(true)
  expect(await isNews('a', 2, { system: { ...system, cpuUsage: 0.9 }, tools: [tool('one')] })).toBe(false)
  expect((await uplink.row(id)).system).toMatchObject({ cpuUsage: 0.9 })
  expect(await isNews('a', 3, { system, tools: [tool('one', { state: 'exited' })] })).toBe(true)
  expect(await isNews('a', 4, { docker: { state: 'down' } })).toBe(true)
  expect(await isNews('b', 1, { docker: { state: 'down' }, tools: [tool('one', { state: 'exited' })] })).toBe(true)
})

test('a report without tools is one too: a DTMA whose Docker is down is not asked over and over', async () => {
  const uplink = openUplink(store)
  const { bearer } = await uplink.joined()
  const beat = beatOf('a', 1, { system, docker: { state: 'down' } })
  expect((await uplink.beat(bearer, beat)).json.wantReport).toBe(false)
})

test('a report that repeats what is known of the tools waits in no line, and is stored all the same', async () => {
  const uplink = openUplink(store, applyToolReports)
  const [{ id, bearer }, other] = [await uplink.joined(), await uplink.joined()]
  const [mine, others] = [await insertInstance(id, 'account-a'), await insertInstance(other.id, 'account-a')]
  const report = (seq: number, cpuUsage: number) =>
    beatOf('r', seq, { system: { ...system, cpuUsage }, tools: [tool(mine), tool(others)] })
  await uplink.beat(bearer, report(1, 0.1))
  await store.system((tx) => tx.update(instances).set({ status: null }).where(eq(instances.id, mine)))
  uplink.lines.full = true
  const before = uplink.news.length
  expect((await uplink.beat(bearer, report(2, 0.7))).json).toMatchObject({ wantReport: false })
  expect(await uplink.row(id)).toMatchObject({ heartbeatSeq: 2, system: { cpuUsage: 0.7 } })
  expect((await instanceRow(mine)).status).toMatchObject({ state: 'running' })
  expect((await instanceRow(others)).status).toBeNull()
  expect(uplink.news).toHaveLength(before)
})

test.each([
  ['says something else of the tools', { tools: [tool('one', { state: 'exited' })] }],
  ['says something else of Docker', { tools: [tool('one')], docker: { state: 'down' } }],
  [
    'tells of an update',
    {
      tools: [tool('one')],
      update: { attempt: 'a', version: '9.9.9', from: '0.1.0', phase: 'loading', since: '2026-01-01T00:00:00.000Z' },
    },
  ],
  ['comes from another run', { tools: [tool('one')], runId: 'other' }],
  ['comes by a wrong clock', { tools: [tool('one')], sentAt: 1 }],
] as const)('a report that %s waits in the line', async (_, over) => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  await uplink.beat(bearer, beatOf('r', 1, { system, tools: [tool('one')] }))
  uplink.lines.full = true
  const told = await uplink.beat(bearer, beatOf('r', 2, { system: { ...system, cpuUsage: 0.9 }, ...over } as never))
  expect(told).toMatchObject({ status: 429, json: { code: 'rate-limited' } })
  expect((await uplink.row(id)).system).toEqual(system)
})

test('where too many wait, a report is refused and changes nothing, but its sender lives; a life sign that says nothing new waits in no line', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  await uplink.beat(bearer, beatOf('r', 1))
  uplink.lines.full = true
  const told = await uplink.beat(bearer, beatOf('r', 2, { docker: { state: 'down' } }))
  expect(told).toMatchObject({ status: 429, json: { code: 'rate-limited' } })
  expect(await uplink.row(id)).toMatchObject({ heartbeatSeq: 2, docker: { state: 'ok' } })
  const late = await uplink.beat('dtma_nobody', beatOf('r', 9, { docker: { state: 'down' } }))
  expect([late.status, (await uplink.row(id)).heartbeatSeq]).toEqual([401, 2])
  expect((await uplink.beat(bearer, beatOf('r', 3))).status).toBe(200)
  expect((await uplink.row(id)).heartbeatSeq).toBe(3)
})

test('L04 repeated and reordered heartbeats change nothing', async () => {
  const uplink = openUplink(store, applyToolReports)
  const { id, bearer } = await uplink.joined()
  const instance = await insertInstance(id, 'account-a')
  await uplink.beat(bearer, beatOf('r', 10, { tools: [tool(instance)] }))
  const before = [await uplink.row(id), await instanceRow(instance)]
  await uplink.clock.advance(5_000)
  for (const seq of [8, 9, 10])
    expect((await uplink.beat(bearer, beatOf('r', seq, { tools: [], docker: { state: 'down' } }))).status).toBe(200)
  expect([await uplink.row(id), await instanceRow(instance)]).toEqual(before)
})

test('L05 a new run takes over, and what the old one still says is refused', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  await uplink.beat(bearer, beatOf('old', 100))
  expect((await uplink.beat(bearer, beatOf('new', 1))).status).toBe(200)
  expect(await uplink.beat(bearer, beatOf('old', 101))).toMatchObject({ status: 409, json: { code: 'superseded' } })
  expect(await uplink.row(id)).toMatchObject({ runId: 'new', heartbeatSeq: 1, supersededRuns: ['old'] })
})

test('of many heartbeats at once, the highest counts in the end', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  const seqs = Array.from({ length: 20 }, (_, i) => i + 1).sort(() => Math.random() - 0.5)
  const replies = await Promise.all(seqs.map((seq) => uplink.beat(bearer, beatOf('r', seq))))
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
  expect((await uplink.row(id)).heartbeatSeq).toBe(20)
  expect((await activityOf(id)).filter(({ action }) => action === 'toolbox.active')).toHaveLength(1)
})

test('L13 a toolbox that sends a thousand heartbeats at once is held back, and it alone', async () => {
  const uplink = openUplink(store)
  const [noisy, quiet] = [await uplink.joined(), await uplink.joined()]
  const replies = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) => uplink.beat(noisy.bearer, beatOf('r', i + 1))),
  )
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(30)
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 429]))
  expect((await uplink.beat(quiet.bearer, beatOf('r', 1))).status).toBe(200)
})

test('E10 only the bearer token of the present enrolment is accepted', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  const authenticate = authenticateDtma(store, uplink.clock.now)
  expect(await authenticate(bearer)).toEqual({ toolboxId: id, accountId: 'account-a', epoch: 1 })
  await uplink.enrol(newKey()(id, await uplink.token(await uplink.row(id))))
  for (const token of [undefined, 'wrong', bearer, `${bearer}x`]) {
    expect((await uplink.beat(token, beatOf('r', 1))).json.code).toBe('unauthenticated')
    if (token) expect(await authenticate(token)).toBeUndefined()
  }
})

test('a DTMA of another version is told so', async () => {
  const uplink = openUplink(store)
  const { bearer } = await uplink.joined()
  expect((await uplink.beat(bearer, beatOf('r', 1, { apiVersion: 2 }))).json.code).toBe('unsupported-version')
})

test('a complete report is stored with the heartbeat, and what it leaves out is not there', async () => {
  const uplink = openUplink(store, applyToolReports)
  const { id, bearer } = await uplink.joined()
  const [a, b] = [await insertInstance(id, 'account-a'), await insertInstance(id, 'account-a')]
  await uplink.beat(bearer, beatOf('r', 1, { tools: [tool(a), tool(b, { state: 'exited', reason: 'oom_killed' })] }))
  expect((await instanceRow(b)).status).toMatchObject({ state: 'exited', reason: 'oom_killed' })
  await uplink.beat(bearer, beatOf('r', 2, { tools: [tool(a)] }))
  expect([(await instanceRow(a)).status?.state, (await instanceRow(b)).status]).toEqual(['running', null])
})

test('a heartbeat that cannot be stored as a whole is not stored at all', async () => {
  const uplink = openUplink(store, () => Promise.reject(new Error('the report cannot be stored')))
  const { id, bearer } = await uplink.joined()
  expect((await uplink.beat(bearer, beatOf('r', 1, { tools: [] }))).status).toBe(500)
  expect(await uplink.row(id)).toMatchObject({ status: 'awaiting_heartbeat', lastHeartbeatAt: null })
})

test("L09 what a toolbox says about another's tools and about names of the language changes nothing there", async () => {
  const uplink = openUplink(store, applyToolReports)
  const victim = await insertToolbox(store, { accountId: 'account-b' })
  const instance = await insertInstance(victim.id, 'account-b')
  await store.system((tx) =>
    tx
      .update(instances)
      .set({ status: tool(instance) })
      .where(eq(instances.id, instance)),
  )
  const before = [await uplink.row(victim.id), await instanceRow(instance)]

  const { bearer } = await uplink.joined()
  const hostile = [
    tool(instance, { state: 'exited', generation: 99 }),
    tool(victim.id),
    tool('constructor'),
    tool('hasownproperty'),
  ]
  expect((await uplink.beat(bearer, beatOf('r', 1, { tools: hostile }))).status).toBe(200)
  const raw = JSON.stringify(beatOf('r', 2, { tools: [tool('x')] }))
  const polluted = [
    raw.replace('"name":"x"', '"name":"__proto__"'),
    raw.replace('"runId"', '"__proto__":{"status":"active"},"runId"'),
    raw.replace('"name":"x"', `"toolboxId":"${victim.id}","name":"x"`),
  ]
  for (const body of polluted) expect([200, 400]).toContain((await uplink.beat(bearer, body)).status)

  expect([await uplink.row(victim.id), await instanceRow(instance)]).toEqual(before)
  expect(({} as Record<string, unknown>).status).toBeUndefined()
})

test('texts that no database can hold are cleaned, not failed on', async () => {
  const uplink = openUplink(store, applyToolReports)
  const { id, bearer } = await uplink.joined()
  const instance = await insertInstance(id, 'account-a')
  const message = 'a\0b \ud800 <img src=x onerror=alert(1)> 😀'
  const { status } = await uplink.beat(
    bearer,
    beatOf('r', 1, { dtmaVersion: '1\0', tools: [tool(instance, { message })] }),
  )
  expect(status).toBe(200)
  expect((await instanceRow(instance)).status!.message).toBe('a\ufffdb \ufffd <img src=x onerror=alert(1)> 😀')
})

test.each([
  ['a body of 2 MB', { pad: 'x'.repeat(2_000_000) }, 413],
  ['100,000 tools', beatOf('r', 1, { tools: Array.from({ length: 100_000 }, () => tool('x')) }), 413],
  ['1,001 small tools', JSON.stringify(beatOf('r', 1, { tools: Array.from({ length: 1_001 }, () => tool('x')) })), 400],
  ['nesting 100,000 deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
  ['an unknown field', { ...beatOf('r', 1), toolboxId: 'toolbox_x' }, 400],
  ['a negative sequence', beatOf('r', -1), 400],
  ['no JSON', '{"runId":', 400],
])('L08 %s is refused', async (_, body, expected) => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  expect((await uplink.beat(bearer, body)).status).toBe(expected)
  expect((await uplink.row(id)).lastHeartbeatAt).toBeNull()
})

test.each([
  ['no token', undefined],
  ['a token of nobody', 'dtma_nobody'],
])('L08 with %s nothing that is sent is read, whatever it is', async (_, token) => {
  const uplink = openUplink(store)
  const read = vi.fn()
  const body = new ReadableStream({ pull: read }, { highWaterMark: 0 })
  const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}) }
  const answer = await uplink.app.request('/dtma/heartbeat', { method: 'POST', body, headers, duplex: 'half' } as never)
  expect([answer.status, read.mock.calls]).toEqual([401, []])
  for (const sent of ['{"runId":', { pad: 'x'.repeat(2_000_000) }])
    expect((await uplink.beat(token, sent)).status).toBe(401)
})

test('a token that is nobody’s is looked up a few times, and not more often', async () => {
  const uplink = openUplink(store)
  const answers = []
  for (let n = 0; n < 31; n += 1) answers.push((await uplink.beat('dtma_nobody', {})).status)
  expect(answers).toEqual([...Array(30).fill(401), 429])
})

test('a token that held is not looked up again, and opens nothing when it holds no more', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  expect((await uplink.beat(bearer, beatOf('r', 1))).status).toBe(200)
  await store.system((tx) => tx.update(toolboxes).set({ dtmaBearerToken: null }).where(eq(toolboxes.id, id)))
  const { status, json } = await uplink.beat(bearer, beatOf('r', 2))
  expect([status, json.code]).toEqual([401, 'unauthenticated'])
})

test('numbers at the edge of what can be counted are no failure of ours', async () => {
  const uplink = openUplink(store, applyToolReports)
  const { id, bearer } = await uplink.joined()
  const instance = await insertInstance(id, 'account-a')
  const edge = { generation: Number.MAX_SAFE_INTEGER, restarts: Number.MAX_SAFE_INTEGER }
  const beat = (seq: number) => beatOf('r', seq, { tools: [tool(instance, edge), tool('x-of-an-agent', edge)] })
  for (const seq of [1, Number.MAX_SAFE_INTEGER]) expect((await uplink.beat(bearer, beat(seq))).status).toBe(200)
  expect((await instanceRow(instance)).status).toMatchObject(edge)
})
