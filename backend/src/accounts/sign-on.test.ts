import { CLIENT, type Misbehaviour, openProvider } from '@agentopia/testbed/openid-provider'
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
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { BODIES } from '../every-operation.testing.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import { activities, members, sessions, signIns, users, verifications } from '../store/schema/index.ts'
import { FIRST_USER } from './first-account.ts'
import { createSignOnProvider } from './sign-on.provider.ts'

let plane: TestControlPlane
let provider: Awaited<ReturnType<typeof openProvider>>
const clock = manualClock(Date.now())
beforeEach(async () => {
  provider = await openProvider({ now: clock.now })
  plane = await openTestControlPlane(clock, {
    signOn: { issuer: provider.issuer, ...CLIENT, domains: ['example.com'], role: 'viewer', label: 'Example' },
  })
})
afterEach(async () => {
  await plane.close()
  await provider.close()
})

const start = (as: As = NOBODY, body = {}) => plane.send('POST', '/api/session/sign-on', as, body)
const link = (as: As) => plane.request('POST', '/api/me/sign-on', as)
const unlink = (as: As) => plane.request('DELETE', '/api/me/sign-on', as)
const prove = (as: As) => plane.request('POST', '/api/me/presence/sign-on', as)

/** Up to the moment when the provider sends the browser back. */
async function begun(as: As = NOBODY, begin: (as: As) => Promise<Response> = start) {
  const started = await begin(as)
  expect(started.status).toBe(200)
  const { authorizationUrl } = (await started.json()) as { authorizationUrl: string }
  const cookie = [as['cookie'], cookieOf(started)].filter(Boolean).join('; ')
  return { authorizationUrl, browser: { origin: ORIGIN, cookie }, ...provider.consent(authorizationUrl) }
}
const finish = (as: As, answer: object) => plane.send('POST', '/api/session/sign-on/answer', as, answer)
async function signOn(as: As = NOBODY, begin: (as: As) => Promise<Response> = start): Promise<Response> {
  const { browser, answer } = await begun(as, begin)
  return finish(browser, answer)
}
const codeOf = async (answer: Response) => [answer.status, (await jsonOf(answer)).code]
const nobodyCameIn = async () => expect(await plane.store.system((tx) => tx.select().from(sessions))).toEqual([])
const peopleOf = (email: string) => plane.store.system((tx) => tx.select().from(users).where(eq(users.email, email)))
const REFUSED = [401, 'sign-on-refused']

test('somebody of an allowed domain comes in by the provider, as what is configured, and back where they were going', async () => {
  const answer = await signOn(NOBODY, (as) => start(as, { to: '/agents' }))
  expect(await answer.json()).toMatchObject({
    to: '/agents',
    done: 'signed-in',
    me: { user: { email: 'ada@example.com', name: 'Ada' }, role: 'viewer', hasPassword: false, hasSignOn: true },
  })
  const session = cookieOf(answer)
  expect((await plane.request('GET', '/api/me', { cookie: session })).status).toBe(200)
  expect((await plane.request('DELETE', '/api/session', { cookie: session, origin: ORIGIN })).status).toBe(204)
  expect((await plane.request('GET', '/api/me', { cookie: session })).status).toBe(401)
  expect(await (await plane.request('GET', '/api/info')).json()).toMatchObject({ signOn: 'Example' })

  provider.becomes({ sub: 'subject-1', email: 'ada.lovelace@example.com', name: 'Ada L' })
  expect((await signOn()).status).toBe(200) // the subject counts, not the address
  expect(await plane.store.system((tx) => tx.select().from(members))).toHaveLength(2)
  const messages = await plane.store.system((tx) => tx.select({ message: activities.message }).from(activities))
  expect(messages.map(({ message }) => message)).toEqual(
    expect.arrayContaining(['Joined as viewer by single sign-on', 'Signed in by Example']),
  )
})

test('T07 the request to the provider carries state, nonce and a proof key, and no secret', async () => {
  const { authorizationUrl } = await begun()
  const asked = Object.fromEntries(new URL(authorizationUrl).searchParams)
  expect(asked).toMatchObject({
    response_type: 'code',
    redirect_uri: `${ORIGIN}/signed-on`,
    code_challenge_method: 'S256',
    scope: 'openid email profile',
  })
  for (const name of ['state', 'nonce', 'code_challenge']) expect(asked[name]).toMatch(/^[\w-]{43}$/)
  expect(authorizationUrl).not.toContain(CLIENT.clientSecret)
  const stored = JSON.stringify(await plane.store.system((tx) => tx.select().from(verifications)))
  for (const name of ['state', 'nonce', 'code_challenge']) expect(stored).not.toContain(asked[name])
})

const MISBEHAVIOURS: readonly [string, Misbehaviour, string][] = [
  ['the nonce of another attempt', { claims: { nonce: 'another' } }, 'provider-refused'],
  ['no nonce', { claims: { nonce: undefined } }, 'provider-refused'],
  ['another issuer in the token', { claims: { iss: 'https://evil.example' } }, 'provider-refused'],
  ['another audience', { claims: { aud: 'another-client' } }, 'provider-refused'],
  ['a token that is too old', { claims: { exp: Math.floor(Date.now() / 1_000) - 120 } }, 'provider-refused'],
  ['a token without an end', { claims: { exp: undefined } }, 'provider-refused'],
  ['no signature', { algorithm: 'none' }, 'provider-refused'],
  ['a signature with the secret of both', { algorithm: 'HS256' }, 'provider-refused'],
  ['the signature of a stranger', { foreignKey: true }, 'provider-refused'],
  ['another issuer in the answer', { issuerInAnswer: 'https://evil.example' }, 'provider-refused'],
  ['no issuer in the answer', { issuerInAnswer: null }, 'provider-refused'],
  ['a person who said no', { denied: true }, 'provider-refused'],
  ['HTML for tokens', { html: true }, 'provider-refused'],
  ['an address that was not verified', { claims: { email_verified: false } }, 'sign-on-refused'],
  ['an address of which it says nothing', { claims: { email_verified: undefined } }, 'sign-on-refused'],
  ['no address', { claims: { email: undefined } }, 'sign-on-refused'],
  ['the word true instead of the value', { claims: { email_verified: 'true' } }, 'sign-on-refused'],
]
for (const [what, wrong, code] of MISBEHAVIOURS)
  test(`T07 ${what} from the provider lets nobody in`, async () => {
    Object.assign(provider.wrong, wrong)
    const answer = await signOn()
    const told = await jsonOf(answer)
    expect(told.code).toBe(code)
    expect(answer.headers.getSetCookie().join()).not.toContain('agentopia-session')
    expect(JSON.stringify(told)).not.toContain(CLIENT.clientSecret)
    await nobodyCameIn()
    expect(await peopleOf('ada@example.com')).toEqual([])
  })

test('a provider that is ill or says that it is another is told apart before the browser is sent there', async () => {
  provider.wrong.status = 503
  expect(await codeOf(await start())).toEqual([503, 'provider-unavailable'])
  delete provider.wrong.status
  provider.wrong.issuerInMetadata = 'https://evil.example'
  expect(await codeOf(await start())).toEqual([422, 'provider-refused'])
})

test('a provider that does not answer is given up, and the sign-in said to be begun again', async () => {
  provider.wrong.silent = true
  const fetch = createGuardedFetch({ mayDial: () => true, plain: true, timeoutMs: 300 })
  const config = { issuer: provider.issuer, ...CLIENT, domains: [], role: 'viewer', label: 'Example' } as const
  const patient = createSignOnProvider(config, `${ORIGIN}/signed-on`, fetch)
  const attempt = { state: 'state', nonce: 'nonce', verifier: 'v'.repeat(43) }
  const { answer } = provider.consent(
    await patient.authorizationUrl(attempt, { anew: false }, new AbortController().signal),
  )
  await expect(
    patient.read(new URLSearchParams(answer as Record<string, string>), attempt, new AbortController().signal),
  ).rejects.toMatchObject({ code: 'provider-unavailable', message: expect.stringContaining('no answer came within') })
})

test('a key that the provider changed is known at once', async () => {
  expect((await signOn()).status).toBe(200)
  provider.rotateKey()
  expect((await signOn()).status).toBe(200)
})

test('T07 an answer is good once, in the browser that began it, for ten minutes', async () => {
  const one = await begun()
  expect((await finish(one.browser, one.answer)).status).toBe(200)
  expect(await codeOf(await finish(one.browser, one.answer))).toEqual(REFUSED)
  const two = await begun()
  expect(await codeOf(await finish(NOBODY, two.answer))).toEqual(REFUSED)
  const [mine, planted] = [await begun(), await begun()]
  expect(await codeOf(await finish(mine.browser, planted.answer))).toEqual(REFUSED)
  const late = await begun()
  await clock.advance(10 * 60_000)
  expect(await codeOf(await finish(late.browser, late.answer))).toEqual(REFUSED)
  expect(await codeOf(await finish(NOBODY, { state: 'made-up', code: 'x' }))).toEqual(REFUSED)
})

test('T07 afterwards the browser goes to a path of ours and nowhere else', async () => {
  for (const to of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])
    expect(await codeOf(await start(NOBODY, { to }))).toEqual([400, 'invalid-request'])
})

test('who is of no allowed domain needs an invitation, and comes in as it says', async () => {
  provider.becomes({ sub: 'subject-2', email: 'Bob@Elsewhere.org', name: 'Bob' })
  expect(await codeOf(await signOn())).toEqual(REFUSED)
  provider.becomes({ sub: 'subject-3', email: 'eve@example.com.evil.org', name: 'Eve' })
  expect(await codeOf(await signOn())).toEqual(REFUSED)
  const owner = await browserOf(plane, FIRST_USER)
  await plane.send('POST', '/api/invitations', owner, { email: 'bob@elsewhere.org', role: 'operator' })
  provider.becomes({ sub: 'subject-2', email: 'Bob@Elsewhere.org', name: 'Bob' })
  expect(await (await signOn()).json()).toMatchObject({
    me: { role: 'operator', user: { email: 'bob@elsewhere.org' } },
  })
  expect(await (await plane.request('GET', '/api/invitations', owner)).json()).toEqual({ items: [] })
})

test('T07 who was removed does not come back by the domain', async () => {
  expect((await signOn()).status).toBe(200)
  const [{ id: userId }] = (await peopleOf('ada@example.com')) as unknown as [{ id: string }]
  const owner = await browserOf(plane, FIRST_USER)
  expect((await plane.request('DELETE', `/api/members/${userId}`, owner)).status).toBe(204)
  await plane.store.system((tx) => tx.delete(sessions).where(eq(sessions.userId, userId)))
  const answer = await signOn()
  expect(await codeOf(answer)).toEqual(REFUSED)
  expect(answer.headers.getSetCookie().join()).not.toContain('agentopia-session')
  expect(await plane.store.system((tx) => tx.select().from(sessions).where(eq(sessions.userId, userId)))).toEqual([])
  await plane.send('POST', '/api/invitations', owner, { email: 'ada@example.com', role: 'viewer' })
  expect((await signOn()).status).toBe(200)
})

test('T07 an address alone opens nobody’s account who has a password; linking takes being signed in', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const set = { newPassword: 'a long enough password', email: 'ada@example.com' }
  expect((await plane.send('PUT', '/api/me/password', owner, set)).status).toBe(204)
  expect(await codeOf(await signOn())).toEqual([409, 'sign-on-unlinked'])
  expect(await codeOf(await link(NOBODY))).toEqual([401, 'unauthenticated'])
  // Begun by one, finished by another who is signed in in the same browser; and by the same one, in another session.
  const { browser, answer } = await begun(owner, link)
  const attempt = { cookie: browser.cookie.split('; ').at(-1)!, origin: ORIGIN }
  expect(await codeOf(await finish(attempt, answer))).toEqual(REFUSED)
  const anew = await begun(owner, link)
  const again = await browserOf(plane, FIRST_USER)
  const cookie = `${again['cookie']}; ${anew.browser.cookie.split('; ').at(-1)}`
  expect(await codeOf(await finish({ cookie, origin: ORIGIN }, anew.answer))).toEqual(REFUSED)
  expect(await plane.store.system((tx) => tx.select().from(signIns))).toHaveLength(1)

  const linked = await signOn(owner, link)
  expect(await linked.json()).toMatchObject({ done: 'linked', me: { role: 'owner', hasSignOn: true } })
  expect(cookieOf(linked)).not.toContain('agentopia-session') // the session stays as it is
  expect(await (await signOn()).json()).toMatchObject({ me: { user: { id: FIRST_USER }, role: 'owner' } })
})

test('who unlinks signs in by the provider no more, and links again while signed in', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  expect(await codeOf(await unlink(owner))).toEqual([404, 'sign-on-not-linked'])
  expect((await signOn(owner, link)).status).toBe(200)
  expect(await codeOf(await unlink(owner))).toEqual([409, 'last-way-in'])
  const set = { newPassword: 'a long enough password', email: 'ada@example.com' }
  expect((await plane.send('PUT', '/api/me/password', owner, set)).status).toBe(204)
  expect((await unlink(owner)).status).toBe(204)
  expect(await (await plane.request('GET', '/api/me', owner)).json()).toMatchObject({ hasSignOn: false })
  expect(await codeOf(await signOn())).toEqual([409, 'sign-on-unlinked'])
  expect((await signOn(owner, link)).status).toBe(200)
  expect((await signOn()).status).toBe(200)
  const messages = await plane.store.system((tx) => tx.select({ message: activities.message }).from(activities))
  expect(messages.map(({ message }) => message)).toContain('Unlinked single sign-on by Example')
})

/** Ada, whom the provider let in; that alone does not show that she is there. */
async function ada(): Promise<As> {
  return { cookie: cookieOf(await signOn()), origin: ORIGIN }
}
const isProven = async (as: As) => (await plane.request('POST', '/api/me/passkeys/options', as)).status === 200

test('T07 coming in by the provider shows nobody to be there; signing in there anew does', async () => {
  const as = await ada()
  expect(await isProven(as)).toBe(false)
  const { authorizationUrl, browser, answer } = await begun(as, prove)
  const asked = Object.fromEntries(new URL(authorizationUrl).searchParams)
  expect(asked).toMatchObject({ prompt: 'login', max_age: '0' })
  const proven = await finish(browser, answer)
  expect(await proven.json()).toMatchObject({ done: 'proven' })
  expect(cookieOf(proven)).not.toContain('agentopia-session')
  expect(await isProven(as)).toBe(true)
  expect(await isProven(await ada())).toBe(false)
})

const secondsFromNow = (seconds: number) => Math.floor(clock.now() / 1_000) + seconds
const NO_PROOFS: readonly [string, () => void][] = [
  ['a sign-in there from before', () => (provider.wrong.heedless = true)],
  ['one from six seconds before it was asked for', () => (provider.wrong.claims = { auth_time: secondsFromNow(54) })],
  ['a sign-in there that is yet to come', () => (provider.wrong.claims = { auth_time: secondsFromNow(3_600) })],
  ['no word of when that was', () => (provider.wrong.claims = { auth_time: undefined })],
  ['another person there', () => provider.becomes({ sub: 'subject-2', email: 'ada@example.com', name: 'Ada' })],
]
for (const [what, goWrong] of NO_PROOFS)
  test(`T07 ${what} shows nobody to be there`, async () => {
    const as = await ada()
    goWrong()
    await clock.advance(60_000)
    expect(await codeOf(await signOn(as, prove))).toEqual(REFUSED)
    expect(await isProven(as)).toBe(false)
  })

test('the clock of the provider may be five seconds behind', async () => {
  const as = await ada()
  provider.wrong.claims = { auth_time: secondsFromNow(-4) }
  expect((await signOn(as, prove)).status).toBe(200)
  expect(await isProven(as)).toBe(true)
})

test('T07 an attempt to sign in is none to show that one is there, and the session that began it ends it', async () => {
  const as = await ada()
  expect((await signOn(as)).status).toBe(200)
  expect(await isProven(as)).toBe(false)
  const { browser, answer } = await begun(as, prove)
  const other = `${(await ada())['cookie']}; ${browser.cookie.split('; ').at(-1)}`
  expect(await codeOf(await finish({ cookie: other, origin: ORIGIN }, answer))).toEqual(REFUSED)
})

test('T07 a sign-on that belongs to one person is not linked to another', async () => {
  expect((await signOn()).status).toBe(200)
  const owner = await browserOf(plane, FIRST_USER)
  expect(await codeOf(await signOn(owner, link))).toEqual(REFUSED)
})

test('T09 twenty failures a minute from one address, then it waits', async () => {
  for (let times = 0; times < 20; times += 1)
    expect((await finish(NOBODY, { state: 'made-up', code: 'x' })).status).toBe(401)
  expect((await finish(NOBODY, { state: 'made-up', code: 'x' })).status).toBe(429)
})

test('T09 twenty failures a minute from one address, whichever way in was tried, then all of them wait', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const credential = BODIES['signInWithPasskey']
  const ways: readonly (() => Promise<Response>)[] = [
    () => plane.send('POST', '/api/session/link', NOBODY, { token: 'link_no-such-token-at-all' }),
    () => plane.send('POST', '/api/session/passkey', NOBODY, credential),
    () => finish(NOBODY, { state: 'made-up', code: 'x' }),
    () => plane.send('POST', '/api/me/presence/passkey', owner, credential),
  ]
  for (let times = 0; times < 17; times += 1) expect((await ways[times % 4]!()).status).toBe(401)
  for (let times = 0; times < 3; times += 1)
    expect((await plane.send('POST', '/api/me/presence/password', owner, { password: 'wrong' })).status).toBe(401)
  for (const way of ways) expect((await way()).status).toBe(429)
  expect((await plane.send('POST', '/api/me/presence/password', owner, { password: 'wrong' })).status).toBe(429)
  const guess = { email: 'nobody@example.com', password: 'wrong' }
  expect((await plane.send('POST', '/api/session', NOBODY, guess)).status).toBe(429)
  await clock.advance(60_000)
  for (const way of ways) expect((await way()).status).toBe(401)
})

test('without a provider there is no single sign-on', async () => {
  const other = await openTestControlPlane(clock)
  try {
    expect(await codeOf(await other.send('POST', '/api/session/sign-on', NOBODY, {}))).toEqual([404, 'sign-on-off'])
    expect(await (await other.request('GET', '/api/info')).json()).not.toHaveProperty('signOn')
  } finally {
    await other.close()
  }
})
