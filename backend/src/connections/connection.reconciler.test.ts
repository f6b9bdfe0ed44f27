import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Outcome } from '../reconcile/reconciler.ts'
import { credentials } from '../store/schema/index.ts'
import { connectionReconciler } from './connection.reconciler.ts'
import { openFetch, openTestConnections, type TestConnections } from './connections.testing.ts'
import { createTokenRequests, type TokenRequests } from './token-requests.ts'

let world: TestConnections
/** Milliseconds from the moment of the connection; what has passed of them, where the clock was set. */
let later = 0
let passed = 0
const HOUR = 3_600_000

beforeEach(async () => {
  later = 0
  passed = 0
  world = await openTestConnections()
  expect((await world.connect()).status).toBe(200)
})
afterEach(() => world.close())

function replica(owner: string, tokens?: Pick<TokenRequests, 'byRefreshToken'>) {
  const { sealer, seals } = world
  return connectionReconciler({
    store: world.plane.store,
    sealer,
    seals,
    tokens: tokens ?? createTokenRequests({ fetch: openFetch, plain: true, sealer }),
    clock: { now: () => Date.now() + later, steady: () => performance.now() + passed },
    random: () => 0,
    owner,
  })
}

async function reconcile(owner = 'one', tokens?: Pick<TokenRequests, 'byRefreshToken'>): Promise<Outcome> {
  const { id } = (await world.row())!
  return replica(owner, tokens).reconcile(id, new AbortController().signal)
}
const asked = () => world.server.requests.filter((request) => request === 'POST /token').length - 1

test('a token is left alone until it is due, and replaced before it ends, with its refresh token', async () => {
  await reconcile()
  expect([asked(), await world.values()]).toEqual([0, { token: 'access-1' }])
  await world.plane.store.system((tx) =>
    tx.update(credentials).set({ state: 'valid' }).where(eq(credentials.toolbeltItemId, world.ids.toolbeltItemId)),
  )
  later = 0.9 * HOUR
  await reconcile()
  expect([asked(), await world.values()]).toEqual([1, { token: 'access-2' }])
  expect(await world.row()).toMatchObject({ state: 'connected', version: 2, failures: 0, sentAt: null, reason: null })
  // The tool gets a new version of what was good: it is not suspect.
  expect(await world.credential()).toMatchObject({ version: 2, state: 'valid' })
  await reconcile()
  expect(asked()).toBe(1)
})

test('of any number of replicas, one refreshes', async () => {
  later = 0.9 * HOUR
  const owners = ['one', 'two', 'three', 'four', 'five', 'six']
  await Promise.all(owners.map((owner) => reconcile(owner)))
  expect(asked()).toBe(1)
  expect(await world.values()).toEqual({ token: 'access-2' })
})

test('the answer to a refresh is lost: it is asked for again, and a server that gives it again heals it', async () => {
  later = 0.9 * HOUR
  world.server.wrong.loseAnswers = 1
  const outcome = await reconcile()
  expect(outcome).toMatchObject({ done: false })
  expect(await world.row()).toMatchObject({ state: 'connected', failures: 1, sentAt: expect.any(Date) })
  expect(await world.values()).toEqual({ token: 'access-1' })
  later += 2_000
  await reconcile('another replica')
  expect(await world.row()).toMatchObject({ state: 'connected', failures: 0, sentAt: null })
  expect(await world.values()).toEqual({ token: 'access-2' })
})

test('the answer to a refresh is lost, and the server takes no token twice: a person is told why', async () => {
  later = 0.9 * HOUR
  Object.assign(world.server.wrong, { loseAnswers: 1, strict: true })
  await reconcile()
  later += 2_000
  await reconcile()
  expect(await world.row()).toMatchObject({
    state: 'requires_reauth',
    refreshToken: null,
    reason: 'it answers invalid_grant; the answer to an earlier refresh was lost',
  })
  const activity = await (await world.plane.request('GET', '/api/activity', world.operator)).text()
  expect(activity).toContain('connection.requires_reauth')
})

test('a refused refresh is shown at once; the token goes on until it ends, and is then taken from the tool', async () => {
  later = 0.9 * HOUR
  world.server.wrong.refuseRefresh = true
  await reconcile()
  const read = async () => (await world.plane.request('GET', `${world.item}/credential`, world.operator)).json()
  expect(await read()).toMatchObject({ connection: { state: 'requires_reauth', reason: 'it answers invalid_grant' } })
  expect(await world.values()).toEqual({ token: 'access-1' })
  await reconcile()
  expect(asked()).toBe(1)
  later = HOUR + 1_000
  await reconcile()
  expect(await world.values()).toEqual({})
  expect(await read()).toMatchObject({ state: 'missing', connection: { state: 'requires_reauth' } })
  world.server.wrong.refuseRefresh = false
  expect((await world.connect()).status).toBe(200)
  expect(await read()).toMatchObject({ connection: { state: 'connected' } })
})

test('a server that is ill or silent is asked again later; nothing is lost', async () => {
  later = 0.9 * HOUR
  world.server.wrong.ill = 2
  await reconcile()
  expect(await world.row()).toMatchObject({
    state: 'connected',
    failures: 1,
    reason: expect.stringContaining('Not refreshed'),
  })
  later += 5_000
  await reconcile()
  world.server.wrong.silent = true
  later += 5_000
  await reconcile()
  expect(await world.row()).toMatchObject({ state: 'connected', failures: 3 })
  world.server.wrong.silent = false
  later += 60_000
  await reconcile()
  expect(await world.row()).toMatchObject({ state: 'connected', failures: 0, reason: null })
})

test('a connection without a refresh token ends with its access token', async () => {
  world.server.wrong.noRefreshToken = true
  await world.connect()
  later = HOUR + 1_000
  await reconcile()
  expect(await world.row()).toMatchObject({ state: 'requires_reauth', withdrawn: true })
  expect(await world.values()).toEqual({})
})

test('what comes of a refresh after the connection was ended brings nothing back', async () => {
  later = 0.9 * HOUR
  await reconcile('one', {
    async byRefreshToken() {
      await world.plane.request('DELETE', `${world.item}/connection`, world.operator)
      return { kind: 'granted', accessToken: 'too-late', refreshToken: 'r', expiresIn: 60, scopes: undefined }
    },
  })
  expect(await world.row()).toBeUndefined()
  expect(await world.values()).toEqual({})
})

const ONCE = new AbortController().signal

test('D15 a clock that is set back a day keeps no token until it has ended', async () => {
  const { id } = (await world.row())!
  const { reconcile: look } = replica('one')
  await look(id, ONCE)
  later = -24 * HOUR
  await look(id, ONCE)
  expect(asked()).toBe(0)
  passed = 0.9 * HOUR
  await look(id, ONCE)
  expect([asked(), await world.values()]).toEqual([1, { token: 'access-2' }])
})

test('D15 a clock that is set forward a day takes no token away that is still good', async () => {
  const { id } = (await world.row())!
  world.server.wrong.refuseRefresh = true
  later = 0.9 * HOUR
  const { reconcile: look } = replica('one')
  await look(id, ONCE)
  expect(await world.row()).toMatchObject({ state: 'requires_reauth' })
  await look(id, ONCE)
  later += 24 * HOUR
  await look(id, ONCE)
  expect(await world.values()).toEqual({ token: 'access-1' })
  passed = HOUR
  await look(id, ONCE)
  expect(await world.values()).toEqual({})
})
