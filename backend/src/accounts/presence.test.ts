import { OPERATIONS, PresenceNeeded, type UserOperation } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type As,
  browserOf,
  jsonOf,
  NOBODY,
  ORIGIN,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { BODIES, nowhere, pathOf } from '../every-operation.testing.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import { sessions } from '../store/schema/index.ts'
import { createAuthenticator, optionsFrom } from './authenticator.testing.ts'
import { FIRST_ACCOUNT, FIRST_USER } from './first-account.ts'

let plane: TestControlPlane
const clock = manualClock(Date.now())
beforeEach(async () => {
  plane = await openTestControlPlane(clock)
})
afterEach(() => plane.close())

const EMAIL = 'me@example.com'
const PASSWORD = 'a long enough password'
const MINUTE_MS = 60_000

type Device = ReturnType<typeof createAuthenticator>

const codeOf = async (answer: Response) => [answer.status, (await jsonOf(answer)).code]
const change = (as: As) => plane.request('POST', '/api/me/passkeys/options', as)
const byPassword = (as: As, password = PASSWORD) => plane.send('POST', '/api/me/presence/password', as, { password })
const askPasskey = async (as: As) => optionsFrom(await plane.request('POST', '/api/me/presence/passkey/options', as))
const byPasskey = (as: As, credential: unknown) => plane.send('POST', '/api/me/presence/passkey', as, { credential })
const signIn = (password: string) => plane.send('POST', '/api/session', NOBODY, { email: EMAIL, password })

/** The owner in a browser in which he was five minutes ago, with a password and a passkey. */
async function longAgo(): Promise<{ readonly as: As; readonly device: Device }> {
  const as = await browserOf(plane, FIRST_USER)
  const set = { newPassword: PASSWORD, email: EMAIL }
  expect((await plane.send('PUT', '/api/me/password', as, set)).status).toBe(204)
  const device = createAuthenticator(ORIGIN)
  const credential = device.create(await optionsFrom(await change(as)))
  expect((await plane.send('POST', '/api/me/passkeys', as, { name: 'laptop', credential })).status).toBe(201)
  await clock.advance(5 * MINUTE_MS)
  return { as, device }
}

/** What lets somebody in for long, or changes how he comes in. One that is forgotten here fails, and one that is not in the contract. */
const OF_BROWSERS_ONLY = [
  'setPassword',
  'beginPasskey',
  'addPasskey',
  'removePasskey',
  'linkSignOn',
  'unlinkSignOn',
  'createApiToken',
]
/** The same, which programs do by a token of their own. */
const OF_TOKENS_TOO = ['createInvitation', 'changeMemberRole', 'createAgentToken', 'decideAuthorization']

/** Bodies that ask, where others of the same operation do not. */
const ASKING: Readonly<Record<string, unknown>> = {
  ...BODIES,
  changeMemberRole: { role: 'operator' },
  decideAuthorization: { request: 'q', decision: { kind: 'new-agent', name: 'helper' } },
}

const asking = (OPERATIONS as readonly UserOperation[]).filter(({ presence }) => presence)
const ask = (op: UserOperation, as: As) =>
  op.body
    ? plane.send(op.method, pathOf(op, nowhere), as, ASKING[op.id])
    : plane.request(op.method, pathOf(op, nowhere), as)
const tokenOf = async (as: As) => {
  const { secret } = await jsonOf(await plane.send('POST', '/api/tokens', as, { name: 'ci', role: 'admin' }))
  return { authorization: `Bearer ${secret}` }
}
const isLetBy = async (answer: Response) =>
  !['presence-needed', 'forbidden'].includes((await answer.text()).match(/"code":"([^"]+)/)?.[1] ?? '')

test('what lets in for long asks for a proof of being there, and nothing else does', () => {
  const idsOf = (kind: UserOperation['presence']) =>
    asking.filter(({ presence }) => presence === kind).map(({ id }) => id)
  expect(idsOf(true).sort()).toEqual([...OF_BROWSERS_ONLY].sort())
  expect(idsOf('of-sessions').sort()).toEqual([...OF_TOKENS_TOO].sort())
  for (const { id, problems } of asking)
    expect([id, problems]).toEqual([id, expect.arrayContaining(['presence-needed'])])
  for (const { id, auth, presence } of asking) if (presence === true) expect([id, auth]).toEqual([id, 'viewer'])
})

describe.each(asking)('$id', (op) => {
  test('T07 it is refused in a browser that was left open, and done in one whose person is there', async () => {
    const { as } = await longAgo()
    const answer = await ask(op, as)
    const told = PresenceNeeded.parse(await answer.clone().json())
    expect([await codeOf(answer), told.ways]).toEqual([
      [403, 'presence-needed'],
      ['password', 'passkey'],
    ])
    expect((await byPassword(as)).status).toBe(204)
    expect(await isLetBy(await ask(op, as))).toBe(true)
  })
})

test.each(asking.filter(({ presence }) => presence === true))('T07 $id: no token does it at all', async (op) => {
  const as = await browserOf(plane, FIRST_USER)
  expect(await codeOf(await ask(op, await tokenOf(as)))).toEqual([403, 'forbidden'])
})

test.each(asking.filter(({ presence }) => presence === 'of-sessions'))(
  '$id: a token is asked for nothing',
  async (op) => {
    const token = await tokenOf(await browserOf(plane, FIRST_USER))
    await clock.advance(5 * MINUTE_MS)
    expect(await isLetBy(await ask(op, token))).toBe(true)
  },
)

test('what only takes away asks for nothing: to refuse a client, and to make somebody a viewer', async () => {
  const { as } = await longAgo()
  const { userId } = await signedIn(plane, FIRST_ACCOUNT, 'admin')
  expect((await plane.send('PATCH', `/api/members/${userId}`, as, { role: 'viewer' })).status).toBe(200)
  expect(await codeOf(await plane.send('PATCH', `/api/members/${userId}`, as, { role: 'admin' }))).toEqual([
    403,
    'presence-needed',
  ])
  const refusal = { request: 'q', decision: { kind: 'refuse' } }
  expect(await codeOf(await plane.send('POST', '/api/authorization', as, refusal))).toEqual([
    400,
    'authorization-refused',
  ])
})

test('T07 a proof is good for five minutes, in the session in which it was given, until that ends', async () => {
  const { as } = await longAgo()
  const elsewhere = await browserOf(plane, FIRST_USER)
  await clock.advance(5 * MINUTE_MS)
  expect((await byPassword(as)).status).toBe(204)
  expect([(await change(as)).status, (await change(elsewhere)).status]).toEqual([200, 403])
  await clock.advance(5 * MINUTE_MS - 1)
  expect((await change(as)).status).toBe(200)
  await clock.advance(1)
  expect((await change(as)).status).toBe(403)
  expect((await byPassword(as)).status).toBe(204)
  expect((await plane.request('DELETE', '/api/session', as)).status).toBe(204)
  expect((await change(as)).status).toBe(401)
})

test('a clock that was set back makes no proof longer', async () => {
  const { as } = await longAgo()
  await plane.store.system((tx) => tx.update(sessions).set({ provenAt: new Date(clock.now() + MINUTE_MS) }))
  expect((await change(as)).status).toBe(403)
})

test('T07 a session from before there were proofs has none', async () => {
  const as = await browserOf(plane, FIRST_USER)
  await plane.store.system((tx) => tx.update(sessions).set({ provenAt: null }))
  expect(await codeOf(await change(as))).toEqual([403, 'presence-needed'])
})

test('T07 who has no way of his own opens a new link', async () => {
  const as = await browserOf(plane, FIRST_USER)
  await clock.advance(5 * MINUTE_MS)
  const answer = await change(as)
  expect(await answer.json()).toMatchObject({
    code: 'presence-needed',
    ways: [],
    detail: expect.stringContaining('open a new sign-in link'),
  })
  expect((await change(await browserOf(plane, FIRST_USER))).status).toBe(200)
})

test('T07 a wrong password proves nothing; five a minute, with those at the sign-in', async () => {
  const { as } = await longAgo()
  for (let times = 0; times < 3; times += 1) expect((await byPassword(as, 'wrong')).status).toBe(401)
  for (let times = 0; times < 2; times += 1) expect((await signIn('wrong')).status).toBe(401)
  expect((await byPassword(as)).status).toBe(429)
  expect((await signIn(PASSWORD)).status).toBe(429)
  expect((await change(as)).status).toBe(403)
  await clock.advance(MINUTE_MS)
  expect((await byPassword(as)).status).toBe(204)
  expect((await change(as)).status).toBe(200)
})

test('T07 a passkey proves, once, in the session that asked, with its person verified', async () => {
  const { as, device } = await longAgo()
  const asked = await askPasskey(as)
  expect(asked).toMatchObject({ userVerification: 'required', allowCredentials: [{ transports: ['internal'] }] })
  const REFUSED = [401, 'passkey-refused']
  expect(await codeOf(await byPasskey(as, device.get(asked, { unverified: true })))).toEqual(REFUSED)
  const signed = device.get(await askPasskey(as))
  expect((await byPasskey(as, signed)).status).toBe(204)
  expect((await change(as)).status).toBe(200)
  expect(await codeOf(await byPasskey(as, signed))).toEqual(REFUSED)
  const elsewhere = await browserOf(plane, FIRST_USER)
  expect(await codeOf(await byPasskey(elsewhere, device.get(await askPasskey(as))))).toEqual(REFUSED)
  // What was asked for to sign in proves nothing here, nor the other way round.
  const toEnter = await optionsFrom(await plane.request('POST', '/api/session/passkey/options', NOBODY))
  expect(await codeOf(await byPasskey(as, device.get(toEnter)))).toEqual(REFUSED)
  const toProve = device.get(await askPasskey(as))
  expect(await codeOf(await plane.send('POST', '/api/session/passkey', NOBODY, { credential: toProve }))).toEqual(
    REFUSED,
  )
})

test("T07 another person's passkey proves nothing", async () => {
  const { as, device } = await longAgo()
  const other = await signedIn(plane, 'account_other', 'owner')
  expect(await codeOf(await byPasskey(other, device.get(await askPasskey(other))))).toEqual([401, 'passkey-refused'])
  const { secret } = await jsonOf(await plane.send('POST', '/api/tokens', other, { name: 'ci', role: 'admin' }))
  const token = { authorization: `Bearer ${secret}` }
  expect(await codeOf(await byPassword(token))).toEqual([403, 'forbidden'])
  expect((await change(as)).status).toBe(403)
  const rows = await plane.store.system((tx) => tx.select().from(sessions).where(eq(sessions.userId, FIRST_USER)))
  expect(rows).toHaveLength(1)
})
