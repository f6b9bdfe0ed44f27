import type { Session } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
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
import { accounts, members, sessions, signIns, users } from '../store/schema/index.ts'
import { ensureFirstAccount, FIRST_USER } from './first-account.ts'

let plane: TestControlPlane
const clock = manualClock(Date.now())
beforeEach(async () => {
  plane = await openTestControlPlane(clock)
})
afterEach(() => plane.close())

const PASSWORD = 'correct horse battery'
const signIn = (email: string, password: string) => plane.send('POST', '/api/session', NOBODY, { email, password })
const redeem = (token: string) => plane.send('POST', '/api/session/link', NOBODY, { token })

/** The owner of a fresh installation, with a password set. */
async function withPassword(): Promise<{ email: string; owner: Record<string, string> }> {
  const owner = await browserOf(plane, FIRST_USER)
  const email = 'Me@Example.com'
  const answer = await plane.send('PUT', '/api/me/password', owner, { newPassword: PASSWORD, email })
  expect(answer.status).toBe(204)
  return { email, owner }
}

test('a fresh installation has one account with one owner, however many processes make it at once', async () => {
  await Promise.all(Array.from({ length: 10 }, () => plane.store.system(ensureFirstAccount)))
  const rows = await plane.store.system((tx) =>
    tx
      .select({ account: accounts.name, role: members.role })
      .from(members)
      .innerJoin(accounts, eq(accounts.id, members.organizationId)),
  )
  expect(rows).toEqual([{ account: 'default', role: 'owner' }])
})

test('T07 a link signs its user in: the answer says who, and the cookie is for this site and no script', async () => {
  const answer = await redeem(await plane.link(FIRST_USER))
  expect(await jsonOf(answer)).toMatchObject({ role: 'owner', account: { name: 'default' }, hasPassword: false })
  const [cookie] = answer.headers.getSetCookie()
  expect(cookie).toMatch(/^agentopia-session=/)
  expect(cookie).toMatch(/HttpOnly/)
  expect(cookie).toMatch(/SameSite=Lax/)
  const me = await plane.request('GET', '/api/me', { cookie: cookieOf(answer) })
  expect(await me.json()).toMatchObject({ user: { email: 'owner@localhost' }, role: 'owner' })
})

test('T13 of twenty who open the same link at once, one is signed in', async () => {
  const token = await plane.link(FIRST_USER)
  const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(token)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(19)
  expect(await plane.store.system((tx) => tx.select().from(sessions))).toHaveLength(1)
})

test('T13 a link is good for fifteen minutes', async () => {
  const token = await plane.link(FIRST_USER)
  await clock.advance(15 * 60_000)
  const answer = await redeem(token)
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([401, 'sign-in-link-used'])
})

test('T07 signing out ends the session, also for who kept the cookie', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  expect((await plane.request('DELETE', '/api/session', owner)).status).toBe(204)
  expect((await plane.request('GET', '/api/me', owner)).status).toBe(401)
})

test('T07 a cookie that was changed opens nothing', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const forged = { ...owner, cookie: owner['cookie']!.replace(/=(.)/, (_, first) => `=${first === 'a' ? 'b' : 'a'}`) }
  expect((await plane.request('GET', '/api/me', forged)).status).toBe(401)
})

test('the first owner sets a password with an address, and signs in with both, in any case of letters', async () => {
  const { email } = await withPassword()
  const answer = await signIn(email.toLowerCase(), PASSWORD)
  expect(await jsonOf(answer)).toMatchObject({ hasPassword: true, user: { email: 'me@example.com' } })
  expect((await signIn(email.toUpperCase(), PASSWORD)).status).toBe(200)
  expect((await signIn(email, `${PASSWORD}r`)).status).toBe(401)
  const [stored] = await plane.store.system((tx) => tx.select().from(signIns))
  expect(stored?.password).not.toContain(PASSWORD)
})

test('a password without an address to sign in with is refused, with what is missing', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const answer = await plane.send('PUT', '/api/me/password', owner, { newPassword: PASSWORD })
  expect([answer.status, (await jsonOf(answer)).detail]).toEqual([400, expect.stringContaining('email')])
})

test('T07 when a password is changed, all other sessions end', async () => {
  const { email, owner } = await withPassword()
  const elsewhere = await browserOf(plane, FIRST_USER)
  expect((await plane.request('GET', '/api/me', elsewhere)).status).toBe(200)
  const change = { newPassword: 'another long password' }
  expect((await plane.send('PUT', '/api/me/password', owner, change)).status).toBe(204)
  expect((await plane.request('GET', '/api/me', elsewhere)).status).toBe(401)
  expect((await plane.request('GET', '/api/me', owner)).status).toBe(200)
  expect((await signIn(email, PASSWORD)).status).toBe(401)
})

test('of two who set the first password at once, one does', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const set = (newPassword: string) =>
    plane.send('PUT', '/api/me/password', owner, { newPassword, email: 'me@example.com' })
  const answers = await Promise.all([set('the first password'), set('the second password')])
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 409])
})

test('the address of another person is refused', async () => {
  const other = await signedIn(plane, 'account_other', 'viewer')
  const owner = await browserOf(plane, FIRST_USER)
  const email = `${other.userId}@example.com`
  const answer = await plane.send('PUT', '/api/me/password', owner, { newPassword: PASSWORD, email })
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([409, 'name-taken'])
  expect(await plane.store.system((tx) => tx.select().from(signIns))).toEqual([])
})

test('a token cannot set a password: it would be more than its role', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const made = await plane.send('POST', '/api/tokens', owner, { name: 'ci', role: 'viewer' })
  const { secret } = await jsonOf(made)
  const as = { authorization: `Bearer ${secret}` }
  const answer = await plane.send('PUT', '/api/me/password', as, { newPassword: PASSWORD, email: 'x@example.com' })
  expect(answer.status).toBe(403)
})

test('T09 guessing one password is stopped after five a minute, and the answer says for how long', async () => {
  const { email } = await withPassword()
  const statuses: number[] = []
  for (let n = 0; n < 5; n += 1) statuses.push((await signIn(email, `guess number ${n}`)).status)
  const sixth = await signIn(email, PASSWORD)
  expect(statuses).toEqual([401, 401, 401, 401, 401])
  expect(sixth.status).toBe(429)
  expect(Number(sixth.headers.get('retry-after'))).toBeGreaterThan(50)
  await clock.advance(60_000)
  expect((await signIn(email, PASSWORD)).status).toBe(200)
})

test('T09 guesses sent all at once are counted too', async () => {
  const { email } = await withPassword()
  const answers = await Promise.all(Array.from({ length: 15 }, (_, n) => signIn(email, `guess number ${n}`)))
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(10)
})

test('T09 one address may fail twenty times a minute over all accounts; success does not count', async () => {
  for (let n = 0; n < 25; n += 1) await browserOf(plane, FIRST_USER)
  for (let n = 0; n < 20; n += 1) expect((await redeem(`link_no-such-token-${n}`)).status).toBe(401)
  expect((await redeem(await plane.link(FIRST_USER))).status).toBe(429)
})

test('an unknown address and a wrong password read the same', async () => {
  const { email } = await withPassword()
  const strip = async (answer: Response) => ({ ...(await jsonOf(answer)), instance: '' })
  expect(await strip(await signIn('nobody@example.com', 'some password'))).toEqual(
    await strip(await signIn(email, 'some password')),
  )
})

test('who left the account has no way in any more', async () => {
  const viewer = await signedIn(plane, 'account_other', 'viewer')
  const made = await plane.send('POST', '/api/tokens', viewer, { name: 'ci', role: 'viewer' })
  const { secret } = await jsonOf(made)
  await plane.store.system((tx) => tx.delete(members).where(eq(members.userId, viewer.userId)))
  expect((await plane.request('GET', '/api/me', viewer)).status).toBe(401)
  expect((await plane.request('GET', '/api/me', { authorization: `Bearer ${secret}` })).status).toBe(401)
})

test('T07 who is in no account any more is refused before a session begins', async () => {
  const { email } = await withPassword()
  await plane.store.system(async (tx) => {
    await tx.delete(members).where(eq(members.userId, FIRST_USER))
    await tx.delete(sessions)
  })
  for (const answer of [await signIn(email, PASSWORD), await redeem(await plane.link(FIRST_USER))]) {
    expect([answer.status, (await jsonOf(answer)).code]).toEqual([401, 'sign-in-refused'])
    expect(answer.headers.getSetCookie()).toEqual([])
  }
  expect(await plane.store.system((tx) => tx.select().from(sessions))).toEqual([])
})

test('nobody can sign up, and the routes of the accounts library are not there', async () => {
  for (const path of [
    '/api/auth/sign-up/email',
    '/api/auth/sign-in/email',
    '/api/auth/get-session',
    '/api/auth/start-session',
  ]) {
    const answer = await plane.send(
      'POST',
      path,
      { origin: ORIGIN },
      { email: 'a@example.com', password: PASSWORD, name: 'A', userId: FIRST_USER },
    )
    expect([path, answer.status]).toEqual([path, 404])
  }
  expect(await plane.store.system((tx) => tx.select().from(users))).toHaveLength(1)
})

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const isIn = async (as: Record<string, string>) => (await plane.request('GET', '/api/me', as)).status === 200
const sessionsOf = async (as: Record<string, string>) =>
  ((await (await plane.request('GET', '/api/me/sessions', as)).json()) as { items: Session[] }).items

test('T07 a session that came with the request is not the one that a sign-in begins', async () => {
  const theirs = (await browserOf(plane, FIRST_USER))['cookie']!
  const as = { origin: ORIGIN, cookie: theirs }
  const answer = await plane.send('POST', '/api/session/link', as, { token: await plane.link(FIRST_USER) })
  const planted = await plane.send(
    'POST',
    '/api/session/link',
    { origin: ORIGIN, cookie: 'agentopia-session=chosen-by-somebody-else' },
    { token: await plane.link(FIRST_USER) },
  )
  expect(new Set([theirs, cookieOf(answer), cookieOf(planted)]).size).toBe(3)
  expect(cookieOf(planted)).not.toContain('chosen-by-somebody-else')
})

test('T07 behind https the cookie is for this very host, encrypted, and no script', async () => {
  const secure = await openTestControlPlane(clock, { publicUrl: 'https://tools.example.com' })
  try {
    const answer = await secure.send('POST', '/api/session/link', NOBODY, { token: await secure.link(FIRST_USER) })
    const [cookie] = answer.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-agentopia-session=/)
    for (const flag of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/']) expect(cookie).toContain(flag)
    expect(cookie).not.toContain('Domain')
    expect(answer.headers.get('strict-transport-security')).toMatch(/max-age=\d{8}/)
  } finally {
    await secure.close()
  }
})

test('T07 another role holds for sessions that are open already', async () => {
  const admin = await signedIn(plane, 'account_roles', 'admin')
  expect((await plane.request('GET', '/api/invitations', admin)).status).toBe(200)
  await plane.store.system((tx) => tx.update(members).set({ role: 'viewer' }).where(eq(members.userId, admin.userId)))
  expect((await plane.request('GET', '/api/invitations', admin)).status).toBe(403)
})

test('T07 a session that is not used for three days ends; one that is used goes on', async () => {
  const time = manualClock(Date.now())
  const other = await openTestControlPlane(time)
  const open = (as: Record<string, string>) => other.request('GET', '/api/me/sessions', as)
  try {
    const [used, left] = [await browserOf(other, FIRST_USER), await browserOf(other, FIRST_USER)]
    for (let day = 0; day < 3; day += 1) {
      time.set(DAY_MS)
      await expect
        .poll(async () => ((await (await open(used)).json()) as { items: Session[] }).items.at(0)?.lastUsedAt)
        .toBe(new Date(time.now()).toISOString())
    }
    expect([(await open(used)).status, (await open(left)).status]).toEqual([200, 401])
    expect(((await (await open(used)).json()) as { items: Session[] }).items).toHaveLength(1)
  } finally {
    await other.close()
  }
})

test('T07 a session ends after two weeks, however much it is used', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const [{ createdAt, expiresAt }] = (await sessionsOf(owner)) as [Session]
  expect((Date.parse(expiresAt) - Date.parse(createdAt)) / DAY_MS).toBeCloseTo(14, 3)
  await plane.store.system((tx) => tx.update(sessions).set({ expiresAt: new Date(Date.now() - 1) }))
  expect(await isIn(owner)).toBe(false)
})

test('T07 one sees where one is signed in, and signs out one browser, or all the others', async () => {
  const named = async (browser: string) => {
    const answer = await plane.send(
      'POST',
      '/api/session/link',
      { 'user-agent': browser },
      { token: await plane.link(FIRST_USER) },
    )
    return { cookie: cookieOf(answer), origin: ORIGIN }
  }
  const [here, phone, desk] = [await named('Here/1'), await named('Phone/2 \u0085'), await named('Desk/3')]
  const listed = await sessionsOf(here)
  expect(listed.map(({ browser, current }) => [browser, current]).sort()).toEqual([
    ['Desk/3', false],
    ['Here/1', true],
    ['Phone/2', false],
  ])
  expect(JSON.stringify(listed)).not.toContain(here.cookie.split('=')[1]!.split('.')[0])
  const phoneId = listed.find(({ browser }) => browser === 'Phone/2')!.id
  const end = (path: string, as: Record<string, string>) => plane.request('DELETE', `/api/me/sessions${path}`, as)
  const stranger = await signedIn(plane, 'account_other', 'owner')
  expect((await end(`/${phoneId}`, stranger)).status).toBe(404)
  expect((await end(`/${phoneId}`, here)).status).toBe(204)
  expect([await isIn(here), await isIn(phone), await isIn(desk)]).toEqual([true, false, true])
  expect((await end('', here)).status).toBe(204)
  expect([await isIn(here), await isIn(desk), await isIn(stranger)]).toEqual([true, false, true])
})

test('a token decides nothing about the browsers of its person', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const { secret } = await jsonOf(await plane.send('POST', '/api/tokens', owner, { name: 'ci', role: 'admin' }))
  const as = { authorization: `Bearer ${secret}` }
  const [{ id }] = (await sessionsOf(as)) as [Session]
  for (const path of ['/api/me/sessions', `/api/me/sessions/${id}`])
    expect((await plane.request('DELETE', path, as)).status).toBe(403)
  expect(await isIn(owner)).toBe(true)
})
