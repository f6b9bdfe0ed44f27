import { generateKeyPairSync, sign } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { activities, toolboxes } from '../store/schema/index.ts'
import { lockTable, openTestStore } from '../store/testing.ts'
import { sealedKeyOf } from '../toolboxes/dtma-client.ts'
import { beatOf, insertToolbox, newKey, openUplink } from './uplink.testing.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

test('a token and a key are traded for two credentials, of which the store keeps no plain text', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const token = await uplink.token(toolbox)
  const { status, json } = await uplink.enrol(newKey()(toolbox.id, token))

  expect(status).toBe(201)
  expect(json).toMatchObject({ toolboxId: toolbox.id, epoch: 1 })
  const row = await uplink.row(toolbox.id)
  expect(row.status).toBe('awaiting_heartbeat')
  expect(row.machine).toEqual({ hostname: 'box', os: 'Debian', arch: 'x64' })
  expect(row.dtmaBearerToken).toBe(digestOf(json.dtmaBearerToken!))
  expect(uplink.sealer.open(row.backendToDtmaApiKey!, sealedKeyOf(row))).toBe(json.backendToDtmaApiKey)
  expect(uplink.enrolled).toEqual([toolbox.id])

  const everything = JSON.stringify(
    (await store.database.execute('select to_jsonb(t) from account_tool_environments t')).rows,
  )
  const tokens = JSON.stringify((await store.database.execute('select to_jsonb(t) from enrolment_tokens t')).rows)
  for (const secret of [token, json.dtmaBearerToken!, json.backendToDtmaApiKey!])
    expect(everything + tokens).not.toContain(secret)
})

test('where too many wait, an enrolment is refused before anything is done; the same token and key are taken later', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const body = newKey()(toolbox.id, await uplink.token(toolbox))
  uplink.lines.full = true
  expect(await uplink.enrol(body)).toMatchObject({ status: 429, json: { code: 'rate-limited' } })
  expect(await uplink.row(toolbox.id)).toMatchObject({ status: 'provisioning', enrolEpoch: 0 })
  uplink.lines.full = false
  expect((await uplink.enrol(body)).status).toBe(201)
})

test('an enrolment whose sender has gone is undone, so that it does not void what a later one gives', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const body = newKey()(toolbox.id, await uplink.token(toolbox))
  const letGo = await lockTable(store, 'activities', 'exclusive')
  const gone = new AbortController()
  const late = uplink.enrol(body, gone.signal)
  await sleep(200)
  gone.abort()
  await letGo()
  await late
  expect(await uplink.row(toolbox.id)).toMatchObject({ status: 'provisioning', enrolEpoch: 0 })
  expect(uplink.enrolled).toEqual([])
  expect((await uplink.enrol(body)).json).toMatchObject({ epoch: 1 })
})

test('E02 of 50 enrolments at once with as many keys, exactly one succeeds', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const token = await uplink.token(toolbox)
  const replies = await Promise.all(Array.from({ length: 50 }, () => uplink.enrol(newKey()(toolbox.id, token))))

  expect(replies.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(new Set(replies.filter(({ status }) => status !== 201).map(({ json }) => json.code))).toEqual(
    new Set(['enrolment-refused']),
  )
  expect((await uplink.row(toolbox.id)).enrolEpoch).toBe(1)
  const enrolled = await store.system((tx) => tx.select().from(activities).where(eq(activities.subject, toolbox.id)))
  // The one that enrolled, and one that tells of all the others.
  expect(enrolled.map(({ action }) => action).toSorted()).toEqual(['toolbox.enrolled', 'toolbox.enrolment-refused'])
})

test('the same key may repeat the enrolment after a lost reply, and gets fresh credentials', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const request = newKey()(toolbox.id, await uplink.token(toolbox))
  const lost = await uplink.enrol(request)
  await uplink.clock.advance(14 * 60_000)
  const repeated = await uplink.enrol(request)

  expect([lost.status, repeated.status]).toEqual([201, 201])
  expect(repeated.json.epoch).toBe(2)
  expect(repeated.json.dtmaBearerToken).not.toBe(lost.json.dtmaBearerToken)
  expect((await uplink.row(toolbox.id)).dtmaBearerToken).toBe(digestOf(repeated.json.dtmaBearerToken!))
})

test('R-02 a key that another has replaced since comes back with no token of its own', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const stolen = newKey()(toolbox.id, await uplink.token(toolbox))
  expect((await uplink.enrol(stolen)).status).toBe(201)
  const { status, json } = await uplink.enrol(newKey()(toolbox.id, await uplink.token(toolbox)))
  expect(status).toBe(201)
  expect((await uplink.enrol(stolen)).json.code).toBe('enrolment-refused') // its fifteen minutes are not over
  expect((await uplink.beat(json.dtmaBearerToken, beatOf('r', 1))).status).toBe(200)
})

test('E01 E03 every refusal reads the same', async () => {
  const uplink = openUplink(store)
  const [toolbox, other, unwanted] = [
    await insertToolbox(store),
    await insertToolbox(store),
    await insertToolbox(store, { desired: 'absent' }),
  ]
  const key = newKey()
  const used = await uplink.token(toolbox)
  await uplink.enrol(newKey()(toolbox.id, used))
  const expired = await uplink.token(other)
  await uplink.clock.advance(15 * 60_000)
  const fresh = await uplink.token(other)

  const { json: reference } = await uplink.enrol(key(toolbox.id, 'enrol_never-existed'))
  const refusals = [
    key(toolbox.id, used),
    key(other.id, expired),
    key(toolbox.id, fresh),
    key('toolbox_0000000000000000', fresh),
    key(unwanted.id, await uplink.token(unwanted)),
    key(other.id, fresh, { signature: key(toolbox.id, fresh).signature }),
    key(other.id, fresh, { signature: 'not base64 at all' }),
    key(other.id, fresh, { publicKey: 'AAAA' }),
    newKey()(other.id, fresh, { publicKey: key(other.id, fresh).publicKey }),
  ]
  for (const body of refusals) {
    const { status, json } = await uplink.enrol(body)
    expect([status, json.code, json.detail]).toEqual([401, reference.code, reference.detail])
  }
  expect((await uplink.row(other.id)).enrolEpoch).toBe(0)
  expect((await uplink.enrol(key(other.id, fresh))).status).toBe(201)
})

test('E01 a token that comes again with another key is told to its account, once an hour; one that nobody was given is not', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const told = async () => {
    const rows = await store.system((tx) => tx.select().from(activities).where(eq(activities.subject, toolbox.id)))
    return rows.filter(({ action }) => action === 'toolbox.enrolment-refused')
  }
  const token = await uplink.token(toolbox)
  const mine = newKey()(toolbox.id, token)
  expect((await uplink.enrol(mine)).status).toBe(201)
  await uplink.enrol(mine) // a reply that was lost is repeated
  await uplink.enrol(newKey()(toolbox.id, 'enrol_never-existed'))
  expect(await told()).toEqual([])

  const thieves = Array.from({ length: 10 }, () => uplink.enrol(newKey()(toolbox.id, token)))
  expect((await Promise.all(thieves)).map(({ status }) => status)).toEqual(Array(10).fill(401))
  const [record, ...more] = await told()
  expect(more).toEqual([])
  expect(record).toMatchObject({
    accountId: toolbox.accountId,
    toolboxId: toolbox.id,
    message: expect.stringContaining('box'),
  })
  expect(record!.message).not.toContain(token)
})

test('a key of another kind proves nothing', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const token = await uplink.token(toolbox)
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  const signature = sign('sha256', Buffer.from(`enrol:${toolbox.id}:${token}`), privateKey).toString('base64')
  expect((await uplink.enrol(newKey()(toolbox.id, token, { publicKey: spki, signature }))).json.code).toBe(
    'enrolment-refused',
  )
})

test('E13 a DTMA of another version is refused, and the token stays good', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const key = newKey()
  const token = await uplink.token(toolbox)
  expect(await uplink.enrol(key(toolbox.id, token, { apiVersion: 2 }))).toMatchObject({
    status: 426,
    json: { code: 'unsupported-version' },
  })
  expect((await uplink.enrol(key(toolbox.id, token))).status).toBe(201)
})

test('a new token makes the earlier one void', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const first = await uplink.token(toolbox)
  const second = await uplink.token(toolbox)
  expect((await uplink.enrol(newKey()(toolbox.id, first))).status).toBe(401)
  expect((await uplink.enrol(newKey()(toolbox.id, second))).status).toBe(201)
})

test('enrolling anew does not change the status of an active toolbox, and voids its old credential', async () => {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined()
  await store.system((tx) => tx.update(toolboxes).set({ status: 'active' }).where(eq(toolboxes.id, id)))
  await uplink.enrol(newKey()(id, await uplink.token(await uplink.row(id))))
  expect((await uplink.row(id)).status).toBe('active')
  expect((await uplink.beat(bearer, {})).status).toBe(401)
  expect(await uplink.row(id)).toMatchObject({ enrolEpoch: 2 })
})

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['an unknown field', { admin: true }],
  ['a body of 2 MB', { token: 'x'.repeat(2_000_000) }],
])('%s is refused before it is looked at', async (_, body) => {
  const { status } = await openUplink(store).enrol(body)
  expect([400, 413]).toContain(status)
})

test('where too many wait nothing of an enrolment is read, and its token is good afterwards', async () => {
  const uplink = openUplink(store)
  const toolbox = await insertToolbox(store)
  const body = newKey()(toolbox.id, await uplink.token(toolbox))
  uplink.lines.full = true
  expect((await uplink.enrol('no JSON at all')).json.code).toBe('rate-limited')
  expect((await uplink.enrol(body)).status).toBe(429)
  uplink.lines.full = false
  expect((await uplink.enrol(body)).status).toBe(201)
})
