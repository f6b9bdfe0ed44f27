import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type As,
  browserOf,
  cookieOf,
  NOBODY,
  ORIGIN,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { type ManualClock, manualClock } from '../reconcile/manual-clock.testing.ts'
import { apiTokens, invitations, members, oauthGrants } from '../store/schema/index.ts'

const PASSWORD = 'a long enough password'
const DAY_MS = 24 * 3_600_000

let plane: TestControlPlane
let owner: As & { userId: string }
let admin: As & { userId: string }
const clock: ManualClock = manualClock(Date.now())

beforeAll(async () => {
  plane = await openTestControlPlane(clock)
  owner = await signedIn(plane, 'account_a', 'owner')
  admin = await signedIn(plane, 'account_a', 'admin')
})
afterAll(() => plane.close())

async function ask(method: string, path: string, as: As, body?: unknown) {
  const { userId: _, ...headers } = as as As & { userId?: string }
  const answer =
    body === undefined ? await plane.request(method, path, headers) : await plane.send(method, path, headers, body)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), cookie: cookieOf(answer) }
}

const tokenOf = (link: string): string => link.slice(link.indexOf('#') + 1)
async function invite(email: string, role = 'operator', as: As = admin): Promise<string> {
  return tokenOf((await ask('POST', '/api/invitations', as, { email, role })).body.link)
}
const accept = (token: string, password = PASSWORD, name = 'Guest') =>
  ask('POST', '/api/invitation/accept', NOBODY, { token, name, password })
const look = (token: string) => ask('POST', '/api/invitation', NOBODY, { token })
const signIn = (email: string, password: string) => ask('POST', '/api/session', { origin: ORIGIN }, { email, password })

test('who is invited chooses a name and a password, is signed in, and signs in again with both', async () => {
  const made = await ask('POST', '/api/invitations', admin, { email: 'Guest@Example.com', role: 'operator' })
  expect(made).toMatchObject({ status: 201, body: { invitation: { email: 'guest@example.com', role: 'operator' } } })
  expect(made.body.link).toMatch(/^http:\/\/localhost:3000\/invitation#inv_[\w-]{43}$/)
  const token = tokenOf(made.body.link)
  expect((await look(token)).body).toEqual({
    email: 'guest@example.com',
    role: 'operator',
    accountName: 'account_a',
  })
  const joined = await accept(token)
  expect(joined.body).toMatchObject({
    user: { email: 'guest@example.com', name: 'Guest' },
    role: 'operator',
    hasPassword: true,
  })
  expect((await ask('GET', '/api/me', { cookie: joined.cookie })).body).toEqual(joined.body)
  expect((await signIn('guest@example.com', PASSWORD)).status).toBe(200)
  const { items } = (await ask('GET', '/api/members', admin)).body
  expect(items.map((one: { email: string }) => one.email)).toContain('guest@example.com')
})

test('T13 a link works once, and is stored and told nowhere', async () => {
  const token = await invite('once@example.com')
  const listed = await ask('GET', '/api/invitations', admin)
  expect(listed.body.items).toMatchObject([{ email: 'once@example.com', invitedBy: `${admin.userId}@example.com` }])
  const rows = await plane.store.system((tx) => tx.select().from(invitations))
  expect(JSON.stringify([rows, listed.body])).not.toContain(token)
  const answers = await Promise.all(Array.from({ length: 8 }, () => accept(token)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401]))
  expect((await look(token)).body.code).toBe('invitation-used')
  expect((await ask('GET', '/api/invitations', admin)).body.items).toEqual([])
  await clock.advance(60_000)
})

test('T13 a link is worth nothing after a week, when it was taken back, or when another was made for the address', async () => {
  const first = await invite('late@example.com')
  const second = await invite('late@example.com')
  expect((await look(first)).status).toBe(401)
  expect((await look(second)).status).toBe(200)
  const [{ id }] = (await ask('GET', '/api/invitations', admin)).body.items
  expect((await ask('DELETE', `/api/invitations/${id}`, admin)).status).toBe(204)
  expect((await ask('DELETE', `/api/invitations/${id}`, admin)).status).toBe(404)
  expect((await accept(second)).body.code).toBe('invitation-used')
  const third = await invite('late@example.com')
  clock.set(7 * DAY_MS)
  expect((await accept(third)).body.code).toBe('invitation-used')
  admin = { ...(await browserOf(plane, admin.userId)), userId: admin.userId } // the sessions were idle for too long, too
  owner = { ...(await browserOf(plane, owner.userId)), userId: owner.userId }
})

test('nobody invites to more than his own role, and an invitation falls with who made it', async () => {
  expect((await ask('POST', '/api/invitations', admin, { email: 'x@example.com', role: 'owner' })).status).toBe(403)
  const leaving = await signedIn(plane, 'account_a', 'admin')
  const token = await invite('by-leaving@example.com', 'admin', leaving)
  await ask('PATCH', `/api/members/${leaving.userId}`, admin, { role: 'viewer' })
  expect((await accept(token)).body.code).toBe('invitation-used')
})

test('T13 an address that signs in here already joins with its password, and with nothing else', async () => {
  await accept(await invite('both@example.com'))
  const elsewhere = await signedIn(plane, 'account_b', 'owner')
  const token = await invite('both@example.com', 'viewer', elsewhere)
  expect((await look(token)).body).toEqual({ email: 'both@example.com', role: 'viewer', accountName: 'account_b' })
  expect((await accept(token, 'another long password')).body.code).toBe('sign-in-refused')
  const joined = await accept(token, PASSWORD, 'Another name')
  expect(joined.body).toMatchObject({ user: { name: 'Guest' }, account: { id: 'account_b' }, role: 'viewer' })
  expect((await ask('GET', '/api/me', { cookie: joined.cookie })).body.account.id).toBe('account_b')
  expect((await ask('POST', '/api/invitations', elsewhere, { email: 'both@example.com' })).body.code).toBe(
    'already-member',
  )
})

test('the last owner stays owner, whoever tries and however often at once', async () => {
  const only = await signedIn(plane, 'account_c', 'owner')
  expect((await ask('PATCH', `/api/members/${only.userId}`, only, { role: 'admin' })).body.code).toBe('last-owner')
  expect((await ask('DELETE', `/api/members/${only.userId}`, only)).body.code).toBe('last-owner')
  const second = await signedIn(plane, 'account_c', 'owner')
  const answers = await Promise.all([
    ask('DELETE', `/api/members/${second.userId}`, only),
    ask('PATCH', `/api/members/${only.userId}`, second, { role: 'viewer' }),
  ])
  const owners = await plane.store.system((tx) =>
    tx.select().from(members).where(eq(members.organizationId, 'account_c')),
  )
  expect(owners.filter(({ role }) => role === 'owner')).toHaveLength(1)
  expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
})

test('an admin decides about admins and below; an owner is out of reach', async () => {
  const other = await signedIn(plane, 'account_a', 'viewer')
  expect((await ask('PATCH', `/api/members/${other.userId}`, admin, { role: 'admin' })).body.role).toBe('admin')
  expect((await ask('PATCH', `/api/members/${other.userId}`, admin, { role: 'owner' })).status).toBe(403)
  expect((await ask('PATCH', `/api/members/${owner.userId}`, admin, { role: 'viewer' })).status).toBe(403)
  expect((await ask('DELETE', `/api/members/${owner.userId}`, admin)).status).toBe(403)
  expect((await ask('PATCH', `/api/members/${other.userId}`, owner, { role: 'owner' })).body.role).toBe('owner')
})

test('who is removed is out at once, with every token and client that acted for that person', async () => {
  const guest = await signedIn(plane, 'account_a', 'operator')
  const { secret } = (await ask('POST', '/api/tokens', guest, { name: 'ci', role: 'operator' })).body
  const bearer = { authorization: `Bearer ${secret}` }
  expect((await ask('GET', '/api/me', bearer)).status).toBe(200)
  expect((await ask('DELETE', `/api/members/${guest.userId}`, admin)).status).toBe(204)
  expect((await ask('GET', '/api/me', guest)).status).toBe(401)
  expect((await ask('GET', '/api/me', bearer)).status).toBe(401)
  const left = await plane.store.system(async (tx) => [
    ...(await tx.select().from(apiTokens).where(eq(apiTokens.userId, guest.userId))),
    ...(await tx.select().from(oauthGrants).where(eq(oauthGrants.userId, guest.userId))),
  ])
  expect(left).toEqual([])
  expect((await ask('DELETE', `/api/members/${guest.userId}`, admin)).status).toBe(404)
})

test('guessing at an invitation is stopped after twenty a minute', async () => {
  await clock.advance(60_000)
  for (let time = 0; time < 20; time += 1) expect((await look('inv_no-such-token-at-all')).status).toBe(401)
  expect((await look('inv_no-such-token-at-all')).status).toBe(429)
  await clock.advance(60_000)
})

test('who invites an address that signs in here already gets no more guesses at its password than anybody', async () => {
  await accept(await invite('target@example.com'))
  const attacker = await signedIn(plane, 'account_guesser', 'owner')
  const token = await invite('target@example.com', 'viewer', attacker)
  const guesses: number[] = []
  for (let n = 0; n < 3; n += 1) guesses.push((await accept(token, `a long guess number ${n}`)).status)
  for (let n = 0; n < 2; n += 1) guesses.push((await signIn('target@example.com', `guess number ${n}`)).status)
  expect(guesses).toEqual([401, 401, 401, 401, 401])
  expect((await accept(token)).status).toBe(429)
  expect((await signIn('target@example.com', PASSWORD)).status).toBe(429)
  await clock.advance(60_000)
  expect((await accept(token)).status).toBe(200)
})

test('T09 who failed twenty times from one address guesses at no password behind an invitation either', async () => {
  await accept(await invite('twice@example.com'))
  const token = await invite('twice@example.com', 'viewer', await signedIn(plane, 'account_d', 'owner'))
  await clock.advance(60_000)
  for (let n = 0; n < 20; n += 1) expect((await signIn(`nobody-${n}@example.com`, 'a wrong one')).status).toBe(401)
  expect((await accept(token)).status).toBe(429)
  await clock.advance(60_000)
  expect((await accept(token)).status).toBe(200)
})
