import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { openTestStore } from '../../store/testing.ts'
import { createDropletFinder } from './droplet.finder.ts'
import { dropletScene, ENVIRONMENT } from './droplet.testing.ts'

// What DigitalOcean says of the droplet of a toolbox when somebody asks.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

async function scene() {
  const made = await dropletScene(store)
  const finder = createDropletFinder({
    knownOf: async () => ({ client: made.client, dropletId: (await made.row()).doDropletId ?? undefined }),
    environment: ENVIRONMENT,
  })
  return { ...made, find: () => finder.find(made.id, AbortSignal.timeout(5_000)) }
}

test('one that was not asked for yet is not made yet, and not gone', async () => {
  const { find } = await scene()
  expect(await find()).toBe('unmade')
})

test('one that was refused is not made yet, and not gone', async () => {
  const { find, run, emulator, row } = await scene()
  emulator.fail({ method: 'POST', path: /^\/v2\/droplets$/, answer: 422, message: 'exceeds your droplet limit' })
  await run(60_000)
  expect([(await row()).status, await find()]).toEqual(['error_provisioning', 'unmade'])
})

test('one that no list shows yet is found by its number', async () => {
  const { find, step, emulator, droplets } = await scene()
  emulator.knobs.listLagMs = 60_000
  await step()
  expect(await find()).toMatchObject({ ref: String(droplets()[0]!.id), state: 'creating' })
})

test('one whose number is not known is found by its tag', async () => {
  const { find, run, change, droplets } = await scene()
  await run(8_000)
  await change({ doDropletId: null })
  expect(await find()).toMatchObject({ ref: String(droplets()[0]!.id), state: 'running' })
})

test('one that lost its tags is found by its number', async () => {
  const { find, run, droplets } = await scene()
  await run(8_000)
  droplets()[0]!.tags = []
  expect(await find()).toMatchObject({ ref: String(droplets()[0]!.id), state: 'running' })
})

test('one that was destroyed is gone', async () => {
  const { find, run, emulator } = await scene()
  await run(8_000)
  emulator.world.droplets.clear()
  expect(await find()).toBeUndefined()
})
