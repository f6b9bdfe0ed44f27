import type { Passkey } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type As,
  browserOf,
  cookieOf,
  jsonOf,
  NOBODY,
  ORIGIN,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import { activities, passkeys, verifications } from '../store/schema/index.ts'
import { createAuthenticator, optionsFrom } from './authenticator.testing.ts'
import { FIRST_USER } from './first-account.ts'

let plane: TestControlPlane
const clock = manualClock(Date.now())
beforeEach(async () => {
  plane = await openTestControlPlane(clock)
})
afterEach(() => plane.close())

type Authenticator = ReturnType<typeof createAuthenticator>

const beginNew = (as: As) => plane.request('POST', '/api/me/passkeys/options', as)
const add = (as: As, credential: unknown, name = 'laptop') =>
  plane.send('POST', '/api/me/passkeys', as, { name, credential })
const begin = async () => optionsFrom(await plane.request('POST', '/api/session/passkey/options', NOBODY))
const enter = (credential: unknown) => plane.send('POST', '/api/session/passkey', NOBODY, { credential })
const listOf = async (as: As) =>
  ((await (await plane.request('GET', '/api/me/passkeys', as)).json()) as { items: Passkey[] }).items
const remove = (as: As, id: string) => plane.request('DELETE', `/api/me/passkeys/${id}`, as)
const outcomeOf = async (answer: Response) => [answer.status, (await jsonOf(answer)).code]
const REFUSED = [401, 'passkey-refused']

/** A person with a passkey on a new device. */
async function withPasskey(as: As, name = 'laptop'): Promise<Authenticator> {
  const device = createAuthenticator(ORIGIN)
  const answer = await add(as, device.create(await optionsFrom(await beginNew(as))), name)
  expect(answer.status).toBe(201)
  return device
}
const recorded = () => plane.store.system((tx) => tx.select({ message: activities.message }).from(activities))

test('a passkey signs its person in, who typed nothing; what was used when is shown', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const device = await withPasskey(owner)
  const answer = await enter(device.get(await begin()))
  expect(await jsonOf(answer)).toMatchObject({ user: { id: FIRST_USER }, role: 'owner' })
  const me = await plane.request('GET', '/api/me', { cookie: cookieOf(answer) })
  expect(me.status).toBe(200)
  expect(await listOf(owner)).toMatchObject([
    { name: 'laptop', synced: false, lastUsedAt: new Date(clock.now()).toISOString() },
  ])
  const messages = (await recorded()).map(({ message }) => message)
  expect(messages).toContain('Added the passkey laptop')
  expect(messages).toContain('Signed in with the passkey laptop')
})

test('what browsers are asked for says nothing of who has passkeys, and wants the person verified', async () => {
  await withPasskey(await browserOf(plane, FIRST_USER))
  const asked = await begin()
  expect(asked).toMatchObject({ rpId: 'localhost', userVerification: 'required' })
  expect(asked).not.toHaveProperty('allowCredentials')
  expect(await optionsFrom(await beginNew(await browserOf(plane, FIRST_USER)))).toMatchObject({
    rp: { id: 'localhost' },
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: [{ transports: ['internal'] }],
  })
})

test('T07 what was signed for another page is refused', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const device = await withPasskey(owner)
  for (const otherwise of [{ origin: 'http://localhost:3001' }, { rpId: 'evil.example' }])
    expect(await outcomeOf(await enter(device.get(await begin(), otherwise)))).toEqual(REFUSED)
  const made = createAuthenticator(ORIGIN).create(await optionsFrom(await beginNew(owner)), {
    origin: 'https://evil.example',
  })
  expect(await outcomeOf(await add(owner, made))).toEqual(REFUSED)
})

test('T07 a device that did not verify its person is refused', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const device = await withPasskey(owner)
  expect(await outcomeOf(await enter(device.get(await begin(), { unverified: true })))).toEqual(REFUSED)
  const made = createAuthenticator(ORIGIN).create(await optionsFrom(await beginNew(owner)), { unverified: true })
  expect(await outcomeOf(await add(owner, made))).toEqual(REFUSED)
})

test('T07 a signature is good once: replayed, it opens nothing, and of twenty at once one is let in', async () => {
  const device = await withPasskey(await browserOf(plane, FIRST_USER))
  const signed = device.get(await begin())
  expect((await enter(signed)).status).toBe(200)
  expect(await outcomeOf(await enter(signed))).toEqual(REFUSED)
  const again = device.get(await begin())
  const answers = await Promise.all(Array.from({ length: 19 }, () => enter(again)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
})

test('T07 a challenge is good for five minutes, for what it was given, and for whom', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const other = await signedIn(plane, 'account_other', 'owner')
  const device = await withPasskey(owner)
  const forNew = await optionsFrom(await beginNew(owner))
  expect(await outcomeOf(await enter(device.get(forNew)))).toEqual(REFUSED)
  const theirs = createAuthenticator(ORIGIN).create(await optionsFrom(await beginNew(owner)))
  expect(await outcomeOf(await add(other, theirs))).toEqual(REFUSED)
  const late = await begin()
  await clock.advance(5 * 60_000)
  expect(await outcomeOf(await enter(device.get(late)))).toEqual(REFUSED)
  expect(await outcomeOf(await enter(device.get({ challenge: 'bWFkZSB1cA' })))).toEqual(REFUSED)
  const stored = await plane.store.system((tx) => tx.select().from(verifications))
  expect(JSON.stringify(stored)).not.toContain(late.challenge)
})

test('T07 a key that counts backwards, or stands still, was copied: refused, and on record', async () => {
  const device = await withPasskey(await browserOf(plane, FIRST_USER))
  expect((await enter(device.get(await begin(), { counter: 7 }))).status).toBe(200)
  for (const counter of [7, 3, 0])
    expect(await outcomeOf(await enter(device.get(await begin(), { counter })))).toEqual(REFUSED)
  expect((await enter(device.get(await begin(), { counter: 8 }))).status).toBe(200)
  const refusals = (await recorded()).filter(({ message }) => message.includes('may have been copied'))
  expect(refusals).toHaveLength(3)
})

test('a key that does not count is good all the same', async () => {
  const device = await withPasskey(await browserOf(plane, FIRST_USER))
  for (let times = 0; times < 3; times += 1)
    expect((await enter(device.get(await begin(), { counter: 0 }))).status).toBe(200)
})

test("T07 nobody signs in with another's passkey, as another, or with one that is not known", async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const other = await signedIn(plane, 'account_other', 'owner')
  const [mine, theirs] = [await withPasskey(owner), await withPasskey(other)]
  const [row] = await plane.store.system((tx) => tx.select().from(passkeys).where(eq(passkeys.userId, FIRST_USER)))
  const { credentialId } = row!
  expect(await outcomeOf(await enter(theirs.get(await begin(), { credentialId })))).toEqual(REFUSED)
  expect(await outcomeOf(await enter(theirs.get(await begin(), { userHandle: FIRST_USER })))).toEqual(REFUSED)
  expect(await outcomeOf(await enter(createAuthenticator(ORIGIN).get(await begin())))).toEqual(REFUSED)
  // A key that one person has is not kept for another too.
  expect(await outcomeOf(await add(other, mine.create(await optionsFrom(await beginNew(other)))))).toEqual(REFUSED)
  const [{ id }] = (await listOf(other)) as [Passkey]
  expect(await outcomeOf(await remove(owner, id))).toEqual([404, 'passkey-not-found'])
})

test('the last way to sign in cannot be removed, also when two are removed at once', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const device = await withPasskey(owner, 'one')
  await withPasskey(owner, 'two')
  const answers = await Promise.all((await listOf(owner)).map(({ id }) => remove(owner, id)))
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 409])
  const [last] = (await listOf(owner)) as [Passkey]
  expect(await outcomeOf(await remove(owner, last.id))).toEqual([409, 'last-way-in'])
  const set = { newPassword: 'a long enough password', email: 'me@example.com' }
  expect((await plane.send('PUT', '/api/me/password', owner, set)).status).toBe(204)
  expect((await remove(owner, last.id)).status).toBe(204)
  expect(await outcomeOf(await enter(device.get(await begin())))).toEqual(REFUSED)
})

test('T07 a passkey is kept in the session in which it was begun, and in no other of the same person', async () => {
  const [here, elsewhere] = [await browserOf(plane, FIRST_USER), await browserOf(plane, FIRST_USER)]
  const made = createAuthenticator(ORIGIN).create(await optionsFrom(await beginNew(here)))
  expect(await outcomeOf(await add(elsewhere, made))).toEqual(REFUSED)
})

test('T09 one address begins sixty sign-ins a minute, and fails at twenty', async () => {
  const device = createAuthenticator(ORIGIN)
  for (let times = 0; times < 20; times += 1)
    expect((await enter(device.get({ challenge: 'bWFkZSB1cA' }))).status).toBe(401)
  expect((await enter(device.get({ challenge: 'bWFkZSB1cA' }))).status).toBe(429)
  for (let times = 0; times < 60; times += 1) await begin()
  expect((await plane.request('POST', '/api/session/passkey/options', NOBODY)).status).toBe(429)
})

test('a token has no passkeys of its own to add or remove, and nonsense is a bad request', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const { secret } = await jsonOf(await plane.send('POST', '/api/tokens', owner, { name: 'ci', role: 'admin' }))
  const token = { authorization: `Bearer ${secret}` }
  expect((await beginNew(token)).status).toBe(403)
  expect((await enter({ id: 'x' })).status).toBe(400)
  const empty = {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    response: { clientDataJSON: 'e30', attestationObject: 'oA' },
  }
  expect(await outcomeOf(await add(owner, empty))).toEqual(REFUSED)
})
