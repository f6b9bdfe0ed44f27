import type { Call, CallPayload, PayloadRules } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CallRecord } from '../calls/call-record.ts'
import { appendCalls } from '../calls/chain.store.ts'
import { createChainSeal } from '../calls/chain-seal.ts'
import { removeOldCalls } from '../calls/retention.ts'
import { type As, furnish, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { systemClock } from '../reconcile/clock.ts'
import { callPayloads } from '../store/schema/index.ts'
import { createSealer } from '../store/seal.ts'
import { forgetOldPayloads } from './payload.store.ts'
import { createPayloadKeeper, type PayloadKeeper } from './payload-keeper.ts'

const CANARY = 'canary-of-the-payload'
const DAY_MS = 86_400_000

let plane: TestControlPlane
let admin: As
let operator: As
let viewer: As
let stranger: As
let ids: Awaited<ReturnType<typeof furnish>>['ids']
let keeper: PayloadKeeper
// The root key of the test control plane.
const seal = createChainSeal(Buffer.alloc(32, 7))

beforeAll(async () => {
  plane = await openTestControlPlane()
  const { userId, ...owner } = await signedIn(plane, 'account_home', 'admin')
  admin = owner
  operator = await signedIn(plane, 'account_home', 'operator')
  viewer = await signedIn(plane, 'account_home', 'viewer')
  stranger = await signedIn(plane, 'account_other', 'owner')
  ids = (await furnish(plane.store, 'account_home', userId)).ids
  const sealer = createSealer(Buffer.alloc(32, 7))
  keeper = createPayloadKeeper({ store: plane.store, sealer, clock: systemClock, log: pino({ level: 'silent' }) })
})
afterAll(() => plane.close())

/** A call on record, of which everything is kept. */
async function call(days = 7): Promise<string> {
  const { agentId, instanceId } = ids
  const callId = newId('call')
  const record = {
    id: callId,
    accountId: 'account_home',
    agentId,
    agentName: 'helper',
    instanceId,
    instanceName: 'demo',
  }
  const rest = {
    capability: 'echo',
    via: 'mcp',
    instanceGeneration: 1,
    specDigest: null,
    capabilityDigest: null,
  } as const
  const end = { outcome: 'ok', code: null, durationMs: 1, resultBytes: 1, resultDigest: null } as const
  const begin = { startedAt: new Date().toISOString(), argumentDigest: '0'.repeat(64), argumentBytes: 2 }
  await plane.store.system((tx) =>
    appendCalls(tx, [{ ...record, ...rest, ...begin, ...end } satisfies CallRecord], seal),
  )
  const exchanged = { arguments: { a: CANARY }, result: { content: [] } }
  keeper.keep(
    { callId, accountId: 'account_home', agentId, instanceId },
    { days, mostBytes: 65_536, redact: [] },
    exchanged,
  )
  await keeper.flush()
  return callId
}
const rule = (body: object, as = admin) => plane.send('PUT', '/api/calls/payload-rules', as, body)
const read = (callId: string, as = operator) => plane.request('GET', `/api/calls/${callId}/payload`, as)
const verified = async () => (await plane.request('GET', '/api/calls/verification', viewer)).json()

test('what was sent and answered is read by operators, and reading it is on record', async () => {
  const callId = await call()
  const shown = (await (await plane.request('GET', `/api/calls/${callId}`, viewer)).json()) as Call & {
    payload: object
  }
  expect(shown).toMatchObject({ id: callId, outcome: 'ok', payload: { bytes: expect.any(Number) } })
  expect(JSON.stringify(shown)).not.toContain(CANARY)
  expect((await read(callId, viewer)).status).toBe(403)
  expect((await read(callId, stranger)).status).toBe(404)
  const payload = (await (await read(callId)).json()) as CallPayload
  expect(payload).toMatchObject({ callId, arguments: { whole: true, json: { a: CANARY } }, result: { whole: true } })
  const activity = await (await plane.request('GET', '/api/activity', viewer)).text()
  expect(activity).toContain(`Read what was sent and answered in ${callId}`)
})

test('K02 what is kept is in the database under seal alone, and opens for no other call', async () => {
  const [one, other] = [await call(), await call()]
  const { rows } = await plane.store.system((tx) =>
    tx.execute(sql`select call_payloads::text as row from call_payloads`),
  )
  expect(JSON.stringify(rows)).not.toContain(CANARY)
  await plane.store.system((tx) =>
    tx.execute(
      sql`update call_payloads set sealed = (select sealed from call_payloads where call_id = ${other}) where call_id = ${one}`,
    ),
  )
  expect((await read(one)).status).toBe(500)
})

test('by default nothing is kept; a rule is set by administrators, and what it does not want is gone at once', async () => {
  expect(await (await plane.request('GET', '/api/calls/payload-rules', viewer)).json()).toMatchObject({
    account: { days: 0 },
    instances: [],
  })
  expect((await rule({ days: 3 }, operator)).status).toBe(403)
  const callId = await call(90)
  expect((await rule({ days: 3, redact: ['$..password'] })).status).toBe(200)
  const { keptUntil } = (await (await read(callId)).json()) as CallPayload
  expect(Date.parse(keptUntil)).toBeLessThan(Date.now() + 3.1 * DAY_MS)
  const ofTool = await rule({ instanceId: ids.instanceId, days: 30 })
  expect((await ofTool.json()) as PayloadRules).toMatchObject({
    account: { days: 3 },
    instances: [{ instanceName: 'demo', days: 30 }],
  })
  await rule({ days: 0 })
  expect((await read(callId)).status).toBe(200) // its tool has a rule of its own
  await plane.request('DELETE', `/api/calls/payload-rules/${ids.instanceId}`, admin)
  expect((await read(callId)).status).toBe(404)
  expect(await plane.store.system((tx) => tx.select().from(callPayloads))).toEqual([])
})

test.each([
  ['a path that is none', { days: 1, redact: ['password'] }],
  ['too many days', { days: 366 }],
  ['too much of each', { days: 1, mostBytes: 2 ** 21 }],
])('a rule with %s is refused', async (_, body) => expect((await rule(body)).status).toBe(400))

test('a rule for an instance of nobody, or of another account, is refused', async () => {
  expect((await rule({ instanceId: newId('inst'), days: 1 })).status).toBe(404)
  expect((await rule({ instanceId: ids.instanceId, days: 1 }, stranger)).status).toBe(404)
})

test('what is kept long enough is read by nobody, and removed', async () => {
  const callId = await call()
  await plane.store.system((tx) =>
    tx.execute(sql`update call_payloads set kept_until = now() where call_id = ${callId}`),
  )
  expect((await read(callId)).status).toBe(404)
  expect(await plane.store.system((tx) => forgetOldPayloads(tx, new Date()))).toBe(1)
})

test('whatever is forgotten, the chain of calls is as it was', async () => {
  const [one, two, three] = [await call(), await call(), await call()]
  const before = await verified()
  expect(before).toMatchObject({ intact: true })
  expect((await plane.request('DELETE', `/api/calls/${one}/payload`, operator)).status).toBe(403)
  expect((await plane.request('DELETE', `/api/calls/${one}/payload`, admin)).status).toBe(204)
  expect((await read(one)).status).toBe(404)
  const gone = await plane.request('DELETE', `/api/calls/payloads?instanceId=${ids.instanceId}`, admin)
  expect(await gone.json()).toMatchObject({ removed: expect.any(Number) })
  for (const callId of [two, three]) expect((await read(callId)).status).toBe(404)
  expect(await verified()).toEqual(before)
})

test('with the record of a call goes what was kept of it', async () => {
  const callId = await call()
  const nextHour = new Date(Date.now() + 3_600_000)
  await removeOldCalls(plane.store, seal, 'account_home', nextHour, new AbortController().signal)
  expect((await plane.request('GET', `/api/calls/${callId}`, viewer)).status).toBe(404)
  expect(await plane.store.system((tx) => tx.select().from(callPayloads))).toEqual([])
})
