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

test('T07 to change a password one must know it; then all other sessions end', async () => {
  const { email, owner } = await withPassword()
  const elsewhere = await browserOf(plane, FIRST_USER)
  const change = (currentPassword?: string) =>
    plane.send('PUT', '/api/me/password', owner, {
      newPassword: 'another long password',
      ...(currentPassword ? { currentPassword } : {}),
    })
  expect((await change()).status).toBe(401)
  expect((await change('wrong')).status).toBe(401)
  expect((await plane.request('GET', '/api/me', elsewhere)).status).toBe(200)
  expect((await change(PASSWORD)).status).toBe(204)
  expect((await plane.request('GET', '/api/me', elsewhere)).status).toBe(401)
  expect((await plane.request('GET', '/api/me', owner)).status).toBe(200)
  expect((await signIn(email, PASSWORD)).status).toBe(401)
})

test('of two who set the first password at once, one does', async () => {
  const owner = await browserOf(plane, FIRST_USER)
  const set = (newPassword: string) =>
    plane.send('PUT', '/api/me/password', owner, { newPassword, email: 'me@example.com' })
  const answers = await Promise.all([set('the first password'), set('the second password')])
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 401])
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
