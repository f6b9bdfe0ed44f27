import type { Rollout } from '@agentopia/api'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type As, NOBODY, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { systemClock } from '../reconcile/clock.ts'
import { rollouts, toolboxes } from '../store/schema/index.ts'
import { givingOut } from './release.testing.ts'
import { rolloutReconciler } from './rollout.reconciler.ts'

const ACCOUNT = 'acct_rollouts'
let plane: TestControlPlane
let operator: As

beforeAll(async () => {
  plane = await openTestControlPlane(undefined, givingOut(200))
  operator = await signedIn(plane, ACCOUNT, 'operator')
})
afterAll(() => plane?.close())
beforeEach(() =>
  plane.store.system(async (tx) => {
    await tx.delete(rollouts)
    await tx.delete(toolboxes)
  }),
)

/** Toolboxes that are heard and have an older DTMA. */
const fleet = (size: number, more: Partial<typeof toolboxes.$inferInsert> = {}) =>
  plane.store.system((tx) =>
    tx.insert(toolboxes).values(
      Array.from({ length: size }, () => {
        const id = newId('toolbox')
        const heard = { status: 'active', lastHeartbeatAt: new Date(), dtmaVersion: '0.1.0' } as const
        return { id, accountId: ACCOUNT, name: id, provider: 'join' as const, ...heard, ...more }
      }),
    ),
  )

const asked = () =>
  plane.store.system((tx) => tx.select().from(toolboxes).where(sql`update_asked is not null and update_state is null`))

/** DTMA reports how the update of one toolbox ended. */
async function ends(row: typeof toolboxes.$inferSelect, phase: 'done' | 'fell_back'): Promise<void> {
  const { attempt, version } = row.updateAsked!
  const message = phase === 'done' ? {} : { message: 'The new DTMA ended 3 times' }
  const updateState = { attempt, version, from: '0.1.0', phase, since: new Date().toISOString(), ...message }
  const set = { updateState, dtmaVersion: phase === 'done' ? version : '0.1.0' }
  await plane.store.system((tx) => tx.update(toolboxes).set(set).where(eq(toolboxes.id, row.id)))
}

const call = async (method: string, path: string, as = operator) => plane.request(method, path, as)
const start = async () => (await (await call('POST', '/api/rollouts')).json()) as Rollout
const last = async () => ((await (await call('GET', '/api/rollouts')).json()) as { items: Rollout[] }).items[0]!
const within = { timeout: 15_000, interval: 100 }
const untilAsked = (size: number) => expect.poll(async () => (await asked()).length, within).toBe(size)

test('who may not operate may look, and not begin', async () => {
  const viewer = await signedIn(plane, ACCOUNT, 'viewer')
  expect((await call('POST', '/api/rollouts', viewer)).status).toBe(403)
  expect((await call('GET', '/api/rollouts', viewer)).status).toBe(200)
  expect((await call('GET', '/api/rollouts', NOBODY)).status).toBe(401)
  expect((await call('POST', '/api/rollouts')).status).toBe(409) // nothing is older
})

test('U05 staged rollout: one first, then a tenth, then the rest; begun twice it is one', async () => {
  await fleet(30)
  await fleet(1, { status: 'unresponsive' })
  await fleet(1, { provider: 'local' })
  const { id } = await start()
  expect((await start()).id).toBe(id)
  for (const wave of [1, 3, 20, 6]) {
    await untilAsked(wave)
    for (const row of await asked()) await ends(row, 'done')
  }
  await expect.poll(async () => (await last()).state, within).toBe('done')
  expect(await last()).toMatchObject({ id, version: '0.2.0', counts: { updated: 30, unwell: 0, underWay: 0 } })
  expect((await call('POST', `/api/rollouts/${id}/resume`)).status).toBe(409)
})

test('U05 a toolbox on its way out, or gone, has no part in it', async () => {
  await fleet(1)
  await fleet(1, { desired: 'absent', status: 'active' })
  await fleet(1, { deletedAt: new Date() })
  const { counts } = await start()
  expect(counts).toMatchObject({ waiting: 1, away: 0 })
  await untilAsked(1)
  await ends((await asked())[0]!, 'done')
  await expect.poll(async () => (await last()).state, within).toBe('done')
  expect((await last()).counts).toMatchObject({ updated: 1, waiting: 0, underWay: 0, away: 0 })
})

test('U05 5 % of those that it reached fall back: it halts with the reason on record, and nobody else is asked until somebody says so', async () => {
  await fleet(30)
  const { id } = await start()
  await untilAsked(1)
  await ends((await asked())[0]!, 'done')
  await untilAsked(3)
  const [bad, ...others] = await asked()
  await ends(bad!, 'fell_back')
  await expect.poll(async () => (await last()).state, within).toBe('halted')
  expect(await last()).toMatchObject({
    reason: '1 of the 2 toolboxes that it reached are not well',
    counts: { updated: 1, unwell: 1, waiting: 28 },
    unwell: [{ toolboxId: bad!.id, reason: 'The new DTMA ended 3 times' }],
  })
  // Those that had not taken it up are left alone, too.
  expect(others).toHaveLength(2)
  expect(await asked()).toEqual([])
  const told = (await (await call('GET', '/api/activity?limit=50')).json()) as { items: { action: string }[] }
  expect(told.items.map(({ action }) => action)).toEqual(expect.arrayContaining(['rollout.started', 'rollout.halted']))

  expect((await call('POST', `/api/rollouts/${id}/resume`)).status).toBe(200)
  await untilAsked(2)
  expect((await asked()).map((row) => row.id)).not.toContain(bad!.id)
  expect((await call('POST', `/api/rollouts/${id}/give-up`)).status).toBe(200)
  expect(await last()).toMatchObject({ state: 'given_up', counts: { waiting: 0 } })
  expect(await asked()).toEqual([])
  expect((await call('POST', `/api/rollouts/${id}/give-up`)).status).toBe(409)
})

test('U05 a toolbox that is not heard any more after its update counts as one that is not well', async () => {
  await fleet(10)
  await start()
  await untilAsked(1)
  const [row] = await asked()
  await plane.store.system((tx) =>
    tx.update(toolboxes).set({ status: 'unresponsive', statusReason: 'No heartbeat' }).where(eq(toolboxes.id, row!.id)),
  )
  await ends(row!, 'done')
  await expect.poll(async () => (await last()).state, within).toBe('halted')
  expect(await last()).toMatchObject({ unwell: [{ toolboxId: row!.id, reason: 'No heartbeat' }] })
})

test('U05 a toolbox that is heard and ends its update in no way within an hour holds up nobody unseen: it halts', async () => {
  await fleet(10)
  await start()
  await untilAsked(1)
  const [row] = await asked()
  const askedAt = new Date(Date.now() - 61 * 60_000).toISOString()
  await plane.store.system((tx) =>
    tx
      .update(toolboxes)
      .set({ updateAsked: { ...row!.updateAsked!, askedAt } })
      .where(eq(toolboxes.id, row!.id)),
  )
  await expect.poll(async () => (await last()).reason, within).toContain('1 of the 1 toolboxes')
})

test('an update that a person has asked for is waited for, not asked for again beside it', async () => {
  await fleet(1)
  const [row] = await plane.store.system((tx) => tx.select().from(toolboxes))
  expect((await call('POST', `/api/toolboxes/${row!.id}/update`)).status).toBe(202)
  const [{ updateAsked } = {}] = await asked()
  const { id } = await start()
  const beside = { store: plane.store, clock: systemClock, newAttempt: () => 'another', wake: () => {} }
  expect(await rolloutReconciler(beside).reconcile(id, new AbortController().signal)).toMatchObject({ done: false })
  expect(await last()).toMatchObject({ state: 'running', counts: { underWay: 1, waiting: 0 } })
  expect((await asked())[0]?.updateAsked).toEqual(updateAsked)
  await ends((await asked())[0]!, 'done')
  await expect.poll(async () => (await last()).state, within).toBe('done')
})

test('a rollout of another account cannot be seen, resumed or given up', async () => {
  await fleet(2)
  const { id } = await start()
  const stranger = await signedIn(plane, 'acct_strangers', 'owner')
  expect(((await (await call('GET', '/api/rollouts', stranger)).json()) as { items: unknown[] }).items).toEqual([])
  for (const deed of ['resume', 'give-up'])
    expect((await call('POST', `/api/rollouts/${id}/${deed}`, stranger)).status).toBe(404)
})
