import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, jsonOf, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { type ManualClock, manualClock } from '../reconcile/manual-clock.testing.ts'
import { apiTokens, members } from '../store/schema/index.ts'
import { createShortMemory } from './short-memory.ts'

let plane: TestControlPlane
let admin: Awaited<ReturnType<typeof signedIn>>
const clock: ManualClock = manualClock(Date.now())

beforeAll(async () => {
  plane = await openTestControlPlane(clock)
  admin = await signedIn(plane, 'account_a', 'admin')
})
afterAll(() => plane.close())

async function create(as: As, body: object): Promise<{ id: string; secret: string; bearer: As; status: number }> {
  const answer = await plane.send('POST', '/api/tokens', as, body)
  if (answer.status !== 201) return { id: '', secret: '', bearer: {}, status: answer.status }
  const { token, secret } = await jsonOf(answer)
  return { id: token.id, secret, bearer: { authorization: `Bearer ${secret}` }, status: 201 }
}
const me = (as: As) => plane.request('GET', '/api/me', as)

test('a token speaks for its owner in its own role, and its secret is shown once and stored nowhere', async () => {
  const { secret, bearer, id } = await create(admin, { name: 'ci', role: 'operator' })
  expect(secret).toMatch(/^tbx_[\w-]{43}$/)
  expect(await (await me(bearer)).json()).toMatchObject({ role: 'operator', user: { id: admin.userId } })
  const listed = await (await plane.request('GET', '/api/tokens', admin)).text()
  expect(listed).toContain(id)
  expect(listed).not.toContain(secret)
  const rows = await plane.store.system((tx) => tx.select().from(apiTokens))
  expect(JSON.stringify(rows)).not.toContain(secret)
})

test('nobody makes a token that can do more than himself, and no token makes another', async () => {
  const viewer = await signedIn(plane, 'account_a', 'viewer')
  expect((await create(viewer, { name: 'more', role: 'admin' })).status).toBe(403)
  expect((await create(viewer, { name: 'same', role: 'viewer' })).status).toBe(201)
  const { bearer } = await create(admin, { name: 'operator', role: 'operator' })
  expect((await create(bearer, { name: 'offspring', role: 'viewer' })).status).toBe(403)
  expect((await create(admin, { name: 'owner', role: 'owner' })).status).toBe(400)
})

test('a revoked token is refused at once', async () => {
  const { id, bearer } = await create(admin, { name: 'short-lived' })
  expect((await me(bearer)).status).toBe(200)
  expect((await plane.request('DELETE', `/api/tokens/${id}`, admin)).status).toBe(204)
  expect((await me(bearer)).status).toBe(401)
  expect((await plane.request('DELETE', `/api/tokens/${id}`, admin)).status).toBe(404)
})

test('a token that another replica revoked is refused within five seconds', async () => {
  const { id, bearer } = await create(admin, { name: 'elsewhere' })
  expect((await me(bearer)).status).toBe(200)
  await plane.store.system((tx) => tx.delete(apiTokens).where(eq(apiTokens.id, id)))
  await clock.advance(5_000)
  expect((await me(bearer)).status).toBe(401)
})

test('a token never does more than its owner may now', async () => {
  const fallen = await signedIn(plane, 'account_a', 'admin')
  const { bearer } = await create(fallen, { name: 'ci', role: 'admin' })
  await plane.store.system((tx) => tx.update(members).set({ role: 'viewer' }).where(eq(members.userId, fallen.userId)))
  expect(await (await me(bearer)).json()).toMatchObject({ role: 'viewer' })
})

test('an expired token is refused, also while it is remembered', async () => {
  const { id, bearer } = await create(admin, { name: 'expiring', expiresInDays: 1 })
  const soon = new Date(clock.now() + 1_000)
  await plane.store.system((tx) => tx.update(apiTokens).set({ expiresAt: soon }).where(eq(apiTokens.id, id)))
  expect((await me(bearer)).status).toBe(200)
  await clock.advance(1_000)
  expect((await me(bearer)).status).toBe(401)
})

test('a person sees and revokes only the own tokens', async () => {
  const { id } = await create(admin, { name: 'mine' })
  const colleague = await signedIn(plane, 'account_a', 'owner')
  expect((await plane.request('DELETE', `/api/tokens/${id}`, colleague)).status).toBe(404)
  expect(await (await plane.request('GET', '/api/tokens', colleague)).json()).toEqual({ items: [] })
})

test.each([
  '',
  'Bearer',
  'Bearer ',
  'Basic YTpi',
  'Bearer tbx_wrong',
  'Bearer agt_wrong',
  'Bearer tbx_ä',
  'Bearer x y',
])('the credential "%s" is refused rather than taken for nobody', async (authorization) => {
  const answer = await plane.request('GET', '/api/info', {
    authorization: Buffer.from(authorization).toString('latin1'),
  })
  expect(answer.status).toBe(401)
})

test('what was being looked up during a revocation is not remembered', async () => {
  const memory = createShortMemory<string>(clock, { ttlMs: 5_000, most: 10 })
  let answer = 'valid' as string | undefined
  const slow = memory.recall('key', async () => {
    const found = answer
    await Promise.resolve()
    return found
  })
  memory.clear()
  answer = undefined
  await slow
  expect(await memory.recall('key', async () => answer)).toBeUndefined()
})
