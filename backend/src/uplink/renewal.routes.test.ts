import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { type Input, type renew, renewalText } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { activities } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { authenticateDtma } from './authenticate.ts'
import { beatOf, insertToolbox, newKey, openUplink } from './uplink.testing.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const MINUTE = 60_000
const HOUR = 60 * MINUTE
type Body = Input<typeof renew>['body']

/** What a state directory holds; copied, it is a clone. */
interface Held {
  readonly epoch: number
  readonly bearer: string
  readonly counter: number
}

/** A toolbox that has enrolled, and its DTMA as far as renewals need it. */
async function scene() {
  const uplink = openUplink(store)
  const row = await insertToolbox(store)
  const keys = generateKeyPairSync('ed25519')
  const enrolled = await uplink.enrol(newKey(keys)(row.id, await uplink.token(row), { renews: true }))
  const first: Held = { epoch: 1, bearer: enrolled.json.dtmaBearerToken!, counter: 0 }
  const runId: string = randomUUID()
  await uplink.beat(first.bearer, beatOf(runId, 1))

  function bodyOf(held: Held, over: Partial<Omit<Body, 'signature'>> = {}): Body {
    const { epoch, counter } = held
    const said = { toolboxId: row.id, epoch, counter, attempt: randomUUID(), runId, ...over }
    const whole = { challenge: uplink.challenges.issue(row.id), ...said }
    return { ...whole, signature: sign(null, Buffer.from(renewalText(whole)), keys.privateKey).toString('base64') }
  }
  async function renewed(held: Held, over: Partial<Omit<Body, 'signature'>> = {}): Promise<Held> {
    const { status, json } = await uplink.renew(bodyOf(held, over))
    if (status !== 200) throw new Error(`refused: ${json.code}`)
    return { epoch: held.epoch, bearer: json.dtmaBearerToken!, counter: json.counter! }
  }
  return {
    id: row.id,
    name: row.name,
    uplink,
    keys,
    runId,
    first,
    bodyOf,
    renewed,
    read: () => uplink.row(row.id),
    beats: async (bearer: string, run = runId, seq = 2) => (await uplink.beat(bearer, beatOf(run, seq))).status,
    actions: async (action: string) =>
      (await store.system((tx) => tx.select().from(activities).where(eq(activities.subject, row.id)))).filter(
        (one) => one.action === action,
      ).length,
  }
}

test('a renewal replaces the credential: the next holds, the one before does not', async () => {
  const { first, renewed, beats, uplink } = await scene()
  const second = await renewed(first)
  expect(second.counter).toBe(1)
  expect([await beats(first.bearer), await beats(second.bearer)]).toEqual([401, 200])
  expect(await authenticateDtma(store, uplink.clock.now)(second.bearer)).toMatchObject({ epoch: 1 })
})

test('a renewal that cannot be begun in time is refused, and nothing is done', async () => {
  const { first, bodyOf, uplink, read, beats } = await scene()
  uplink.lines.full = true
  expect(await uplink.renew(bodyOf(first))).toMatchObject({ status: 429, json: { code: 'rate-limited' } })
  expect([(await read()).renewals, await beats(first.bearer)]).toEqual([0, 200])
})

test('a renewal whose reply was lost is asked for again, also after a restart', async () => {
  const { first, bodyOf, renewed, beats, read } = await scene()
  const attempt = randomUUID()
  await renewed(first, { attempt })
  const again = await renewed(first, { attempt, runId: 'the next run' })
  expect([again.counter, (await read()).renewals, await beats(again.bearer, 'the next run', 1)]).toEqual([1, 1, 200])
  expect(bodyOf(first).signature).not.toBe(bodyOf(first).signature)
})

test('a count that nobody can have reached is refused as such, and not by the database', async () => {
  const { first, bodyOf, uplink, renewed } = await scene()
  for (const counter of [Number.MAX_SAFE_INTEGER, 2 ** 31 - 1])
    expect((await uplink.renew(bodyOf(first, { counter }))).json.code).toBe('invalid-request')
  expect((await renewed(first)).counter).toBe(1)
})

test('E08 a credential runs out while nobody can renew it; the key brings it back without a person, and that is counted', async () => {
  const { first, renewed, beats, uplink, read, actions } = await scene()
  await uplink.clock.advance(3 * HOUR)
  expect(await beats(first.bearer)).toBe(401)
  expect(await authenticateDtma(store, uplink.clock.now)(first.bearer)).toBeUndefined()
  const second = await renewed(first)
  expect(await beats(second.bearer)).toBe(200)
  expect([(await read()).recoveries, await actions('toolbox.recovered')]).toEqual([1, 1])
})

test('E08 one that is renewed in time never runs out', async () => {
  const { first, renewed, beats, uplink, read } = await scene()
  let held = first
  for (let n = 0; n < 9; n += 1) {
    await uplink.clock.advance(20 * MINUTE)
    held = await renewed(held)
  }
  expect([await beats(held.bearer), (await read()).recoveries]).toEqual([200, 0])
})

test('an enrolment of a DTMA that does not know how to renew holds until the next', async () => {
  const uplink = openUplink(store)
  const { bearer } = await uplink.joined()
  await uplink.clock.advance(1_000 * HOUR)
  expect((await uplink.beat(bearer, beatOf('r', 1))).status).toBe(200)
})

test('E09 a cloned DTMA is found by the next renewal of the other; both are locked out, whichever it was', async () => {
  for (const firstToRenew of ['original', 'clone'] as const) {
    const { id, first, renewed, beats, bodyOf, uplink, read, runId, actions } = await scene()
    const held = await renewed(first)
    const ofClone = { runId: 'the clone' }
    const winner = await renewed(held, firstToRenew === 'clone' ? ofClone : { runId })
    const other = bodyOf(held, firstToRenew === 'clone' ? { runId } : ofClone)
    expect((await uplink.renew(other)).json.code).toBe('quarantined')
    expect(uplink.quarantined).toEqual([id])
    expect([await beats(winner.bearer), await beats(held.bearer)]).toEqual([401, 401])
    expect(await read()).toMatchObject({
      status: 'quarantined',
      statusReason: expect.stringContaining('Two machines'),
      dtmaBearerToken: null,
      backendToDtmaApiKey: null,
    })
    expect((await uplink.renew(bodyOf(winner))).json.code).toBe('quarantined')
    expect(await actions('toolbox.quarantined')).toBe(1)
  }
})

test('E09 two that run beside each other are found as soon as the replaced one asks what it is worth', async () => {
  const { first, renewed, beats, bodyOf, uplink, read, runId } = await scene()
  const held = await renewed(first)
  expect(await beats(held.bearer, 'the clone', 1)).toBe(200) // before it has renewed anything
  expect(await beats(held.bearer)).toBe(409)
  expect((await uplink.renew(bodyOf(held, { runId }))).json.code).toBe('quarantined')
  expect((await read()).status).toBe('quarantined')
})

test('E09 a machine that was set back to an earlier state is no longer the only holder', async () => {
  const { first, renewed, bodyOf, uplink, read } = await scene()
  let held = first
  for (let n = 0; n < 4; n += 1) held = await renewed(held)
  expect((await uplink.renew(bodyOf(first, { runId: 'restored' }))).json.code).toBe('quarantined')
  expect((await read()).status).toBe('quarantined')
})

test('E09 a person enrols one anew, with a key that the other does not have; the other stays outside', async () => {
  const { id, first, renewed, bodyOf, uplink, read, keys, beats } = await scene()
  const held = await renewed(first)
  await renewed(held, { runId: 'the clone' })
  await uplink.renew(bodyOf(held))
  const again = newKey(keys)(id, await uplink.token(await read()), { renews: true })
  expect((await uplink.enrol(again)).json.code).toBe('enrolment-refused') // both have that key
  const fresh = await uplink.enrol(newKey()(id, await uplink.token(await read()), { renews: true }))
  expect(fresh.status).toBe(201)
  expect((await read()).status).toBe('awaiting_heartbeat')
  expect(await beats(fresh.json.dtmaBearerToken!, 'fresh', 1)).toBe(200)
  expect((await read()).status).toBe('active')
  expect((await uplink.renew(bodyOf(held, { runId: 'the clone' }))).json.code).toBe('renewal-refused')
  expect((await read()).status).toBe('active')
})

test('E09 a token of before opens no quarantine, whoever holds it and with whatever key', async () => {
  const { id, first, renewed, bodyOf, uplink, read } = await scene()
  const handedOut = await uplink.token(await read())
  const held = await renewed(first)
  await renewed(held, { runId: 'the clone' })
  expect((await uplink.renew(bodyOf(held))).json.code).toBe('quarantined')
  expect((await uplink.enrol(newKey()(id, handedOut))).json.code).toBe('enrolment-refused')
  expect((await read()).status).toBe('quarantined')
})

test('a database that was restored takes the count of the toolbox, and locks nobody out', async () => {
  const { first, renewed, read } = await scene()
  const held = await renewed({ ...first, counter: 7 })
  expect([held.counter, (await read()).renewals, (await read()).status]).toEqual([8, 8, 'active'])
})

test('E11 what was recorded on the way is refused: at once, later, changed in any part, or for another toolbox', async () => {
  const { first, bodyOf, renewed, uplink, read, actions, beats } = await scene()
  const other = await scene()
  const recorded = bodyOf(first)
  expect((await uplink.renew(recorded)).status).toBe(200)
  const before = await read()
  const attempts: object[] = [
    recorded,
    { ...recorded, toolboxId: other.id },
    { ...recorded, counter: 1 },
    { ...recorded, epoch: 2 },
    { ...recorded, attempt: randomUUID() },
    { ...recorded, runId: 'another' },
    { ...recorded, challenge: uplink.challenges.issue(recorded.toolboxId) },
    { ...recorded, challenge: other.bodyOf(other.first).challenge },
    { ...recorded, signature: Buffer.alloc(64).toString('base64') },
    { ...recorded, signature: '' },
  ]
  for (const attempt of attempts) {
    await uplink.clock.advance(2 * MINUTE)
    expect((await uplink.renew(attempt)).json.code).toBe('renewal-refused')
  }
  await uplink.clock.advance(11 * MINUTE)
  expect((await uplink.renew(recorded)).json.code).toBe('renewal-refused')
  expect(await read()).toEqual(before)
  expect((await other.read()).status).toBe('active')
  expect(await actions('toolbox.renewal-refused')).toBe(attempts.length)
  const held = await renewed({ ...first, counter: 1 }) // the holder goes on as if nothing had been
  expect(await beats(held.bearer)).toBe(200)
})

test('E11 a challenge is good once: of one signature sent many times at once, one counts', async () => {
  const { first, bodyOf, uplink, read } = await scene()
  const recorded = bodyOf(first)
  const answers = await Promise.all(Array.from({ length: 20 }, () => uplink.renew(recorded)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect([(await read()).renewals, (await read()).status]).toEqual([1, 'active'])
})

test('E11 a heartbeat that was recorded changes nothing when it comes again, and opens nothing after the next renewal', async () => {
  const { first, renewed, uplink, read, runId } = await scene()
  const recorded = beatOf(runId, 2, { dtmaVersion: '9.9.9' })
  await uplink.beat(first.bearer, recorded)
  await uplink.beat(first.bearer, beatOf(runId, 3, { dtmaVersion: '1.0.0' }))
  const before = await read()
  expect((await uplink.beat(first.bearer, recorded)).status).toBe(200)
  expect(await read()).toEqual(before)
  await renewed(first)
  expect((await uplink.beat(first.bearer, recorded)).status).toBe(401)
})

test('a challenge of another control plane, another toolbox, or a minute ago is none', async () => {
  const { uplink, id } = await scene()
  const { challenges, clock } = uplink
  const good = challenges.issue(id)
  expect(challenges.expiryOf(id, good)).toBe(clock.now() + MINUTE)
  for (const wrong of ['', '.', good.slice(1), `9${good}`, `${good}x`])
    expect(challenges.expiryOf(id, wrong)).toBeUndefined()
  expect(challenges.expiryOf('toolbox_other', good)).toBeUndefined()
  await clock.advance(MINUTE)
  expect(challenges.expiryOf(id, good)).toBeUndefined()
})

test('what is not a toolbox, or has not enrolled, is refused like everything else', async () => {
  const { uplink, bodyOf, first } = await scene()
  const empty = await insertToolbox(store)
  for (const toolboxId of ['toolbox_none', empty.id])
    expect((await uplink.renew({ ...bodyOf(first), toolboxId })).json.code).toBe('renewal-refused')
})

test.each([
  ['two hours ahead', 2 * HOUR],
  ['a day behind', -24 * HOUR],
  ['in 1970', -Date.UTC(2026, 0, 1)],
])('L06 a clock that is %s is told with its offset, and nothing else is decided by it', async (_, offset) => {
  const { uplink, first, runId, read } = await scene()
  const beat = (seq: number, sentAt: number) => uplink.beat(first.bearer, beatOf(runId, seq, { sentAt }))
  expect((await beat(2, uplink.clock.now() + offset)).status).toBe(200)
  expect(await read()).toMatchObject({
    status: 'active',
    clockSkewMs: offset,
    lastHeartbeatAt: new Date(uplink.clock.now()),
  })
  await uplink.clock.advance(10_000)
  await beat(3, uplink.clock.now() + 400)
  expect(await read()).toMatchObject({ status: 'active', clockSkewMs: null })
})
