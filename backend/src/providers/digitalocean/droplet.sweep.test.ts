import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../new-id.ts'
import type { Store } from '../../store/connect.ts'
import { activities, providers } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import { QUARANTINE_MS, SWEEP_EVERY_MS } from './droplet.sweep.ts'
import { dropletScene } from './droplet.testing.ts'
import { environmentTag, PRODUCT_TAG } from './droplet-names.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const told = (accountId: string) =>
  store.system((tx) => tx.select().from(activities).where(eq(activities.accountId, accountId)).orderBy(activities.at))

test('P09 a droplet of ours that no toolbox accounts for is noted, and destroyed when it is still there ten minutes later', async () => {
  const { accountId, foreign, ownTags, sweep, clock, droplets } = await dropletScene(store)
  await foreign(ownTags('toolbox_0000000000000000'))
  await sweep()
  await clock.advance(QUARANTINE_MS - 1)
  await sweep()
  expect(droplets()).toHaveLength(1)
  await clock.advance(1)
  await sweep()
  expect(droplets()).toHaveLength(0)
  expect((await told(accountId)).map(({ message }) => message)).toEqual([
    expect.stringContaining('is destroyed in 10 minutes: no toolbox is known for it'),
    expect.stringContaining('Destroyed the droplet'),
  ])
})

test('P10 droplets without our tags, of another environment, or with a name like ours are never touched in 100 sweeps', async () => {
  const { foreign, ownTags, sweep, clock, droplets, accountId } = await dropletScene(store)
  await foreign([])
  await foreign([PRODUCT_TAG])
  await foreign([PRODUCT_TAG, environmentTag('000000000000'), ownTags()[2]!])
  await foreign(['toolbox-0000000000000000'])
  for (let n = 0; n < 100; n += 1) {
    await sweep()
    await clock.advance(SWEEP_EVERY_MS)
  }
  expect(droplets()).toHaveLength(4)
  expect(await told(accountId)).toEqual([])
})

test('the droplets of toolboxes stay, also while one of them is only asked for', async () => {
  const { run, ownTags, foreign, sweep, clock, droplets } = await dropletScene(store)
  await foreign(ownTags()) // the answer to its creation is lost so far
  await sweep()
  await clock.advance(QUARANTINE_MS)
  await sweep()
  await run(8_000)
  await clock.advance(QUARANTINE_MS)
  await sweep()
  expect(droplets()).toHaveLength(1)
})

test('of two droplets of one toolbox the other one goes', async () => {
  const { run, ownTags, foreign, sweep, clock, droplets, row } = await dropletScene(store)
  await run(8_000)
  await foreign(ownTags())
  await sweep()
  await clock.advance(QUARANTINE_MS)
  await sweep()
  expect(droplets().map(({ id }) => id)).toEqual([(await row()).doDropletId])
})

test('what was nobody’s for a moment is forgotten', async () => {
  const { foreign, ownTags, sweep, clock, droplets, change } = await dropletScene(store)
  await foreign(ownTags())
  await change({ status: 'deprovisioned' })
  await sweep()
  await change({ status: 'provisioning' })
  await clock.advance(QUARANTINE_MS)
  await sweep()
  await change({ status: 'deprovisioned' })
  await sweep()
  expect(droplets()).toHaveLength(1)
})

test('P16 one sweep destroys no more than three', async () => {
  const { foreign, sweep, clock, droplets, ownTags } = await dropletScene(store)
  for (let n = 0; n < 8; n += 1) await foreign(ownTags('toolbox_0000000000000000'))
  await sweep()
  await clock.advance(QUARANTINE_MS)
  await sweep()
  expect(droplets()).toHaveLength(5)
})

test('nothing of ours deletes by tag', async () => {
  const { run, change, sweep, emulator } = await dropletScene(store)
  await run(8_000)
  await change({ desired: 'absent' })
  await run(60_000)
  await sweep()
  expect(emulator.world.calls).not.toContain('DELETE /v2/droplets')
})

test('whose a token is that was given before this was asked is learnt, once', async () => {
  const { accountId, sweep, emulator } = await dropletScene(store)
  const asked = () => emulator.world.calls.filter((call) => call === 'GET /v2/account').length
  await insertToken(accountId, [])
  await sweep()
  await sweep()
  expect([await teamIdOf(accountId), asked()]).toEqual([emulator.world.team.uuid, 1])
})

test('a token that may not say whose it is, is not asked', async () => {
  const { accountId, sweep, emulator } = await dropletScene(store)
  await insertToken(accountId, ['account:read'])
  await sweep()
  expect(await teamIdOf(accountId)).toBeNull()
  expect(emulator.world.calls).not.toContain('GET /v2/account')
})

const insertToken = (accountId: string, missingScopes: string[]) =>
  store.system((tx) =>
    tx.insert(providers).values({
      id: newId('prov'),
      accountId,
      provider: 'digitalocean',
      token: 'sealed',
      hint: 'cdef',
      missingScopes,
      validatedAt: new Date(),
    }),
  )
const teamIdOf = async (accountId: string) =>
  (await store.system((tx) => tx.select().from(providers).where(eq(providers.accountId, accountId))))[0]?.teamId
