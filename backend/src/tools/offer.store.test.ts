import type { Capability } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogWithTeller, openTestCredentials, until } from '../credentials/credentials.testing.ts'
import { agentOffers, capabilityPermissions, instances } from '../store/schema/index.ts'
import { instanceReconciler } from './instance.reconciler.ts'
import { countOffered, handOverOffer, offerOfInstance, storeAgentOffer, storeOffer } from './offer.store.ts'
import { runningStatus } from './tool-status.testing.ts'

// An instance is shared, or each agent has a container of its own; what is offered stands in the one place or in the other.

type Plane = Awaited<ReturnType<typeof openTestCredentials>>
let plane: Plane
let place: Awaited<ReturnType<Plane['instanceIn']>>
let first: Awaited<ReturnType<Plane['agentOf']>>
let second: typeof first
beforeEach(async () => {
  plane = await openTestCredentials()
  place = await plane.instanceIn('account_1')
  ;[first, second] = [await plane.agentOf(place), await plane.agentOf(place)]
})
afterEach(() => plane.close())

const capability = (name: string, digest = name): Capability => ({ name, inputSchema: {}, digest })
const offer = (...capabilities: Capability[]) => ({ capabilities, digest: JSON.stringify(capabilities) })
const BEFORE = offer(capability('tell'), capability('read'))

const instance = async () =>
  (await plane.store.system((tx) => tx.select().from(instances).where(eq(instances.id, place.instanceId))))[0]!
const share = async (given = BEFORE) => {
  const row = await instance()
  await plane.store.system((tx) => storeOffer(tx, row, eq(instances.id, row.id), given))
}
const handOver = async () => {
  const row = await instance()
  await plane.store.system((tx) => handOverOffer(tx, row, eq(instances.id, row.id)))
}
const tell = async ({ itemId }: typeof first, given: typeof BEFORE, over: object = {}) => {
  const row = { ...(await instance()), ...over }
  await plane.store.system((tx) => storeAgentOffer(tx, row, { name: 'helper', itemId }, given))
}
const offers = () => plane.store.system((tx) => tx.select().from(agentOffers))
const pins = async () =>
  (await plane.store.system((tx) => tx.select().from(capabilityPermissions))).map(({ pinned }) => pinned?.digest)

test('what was known of an instance that agents do not share any more is what each was offered, and is asked anew', async () => {
  await share()
  await first.give('secret-of-one')
  plane.wake(first.tool)
  await until('it was asked', async () => (await first.credential())?.state === 'valid')
  await plane.store.system((tx) => tx.delete(agentOffers))
  await handOver()
  expect((await offers()).map((one) => [one.toolbeltItemId, one.capabilities]).toSorted()).toEqual(
    [first, second].map(({ itemId }) => [itemId, BEFORE.capabilities]).toSorted(),
  )
  expect(await instance()).toMatchObject({ capabilities: null, capabilityDigest: null })
  expect(await second.listed()).toEqual(['teller__tell'])

  // The container of the first runs, and offers something else than the instance was said to.
  plane.wake(first.tool)
  await until('it was asked again', async () =>
    (await offers()).some(({ toolbeltItemId, digest }) => toolbeltItemId === first.itemId && digest === 'all of c1'),
  )
})

test('what is handed over never replaces what an agent was offered since, and what was allowed stays pinned', async () => {
  await share()
  await tell(first, offer(capability('tell', 'tells more')))
  await handOver()
  await handOver()
  expect((await offers()).map(({ capabilities }) => capabilities.map(({ digest }) => digest)).toSorted()).toEqual([
    ['tell', 'read'],
    ['tells more'],
  ])
  expect(await pins()).toEqual(['tell', 'tell'])
})

test('an instance that agents share again is what it says itself, and their own offers are over', async () => {
  await tell(first, BEFORE)
  await share(offer(capability('tell', 'shared')))
  expect(await offers()).toEqual([])
  expect((await instance()).capabilities).toEqual([capability('tell', 'shared')])
})

test('what a container of an older generation offers is not stored, nor what it offers to an agent that lost the tool', async () => {
  await tell(first, BEFORE, { generation: 0 })
  await tell({ ...first, itemId: 'belt_0000000000000000' }, BEFORE)
  expect(await offers()).toEqual([])
})

test('with no agent in question it is all that any of them is offered, by the definition that was read last', async () => {
  expect(await plane.store.system(async (tx) => offerOfInstance(tx, await instance()))).toEqual([])
  expect(await plane.store.system(async (tx) => countOffered(tx, [await instance()]))).toEqual(new Map())
  await tell(first, BEFORE)
  await tell(second, offer(capability('write'), capability('tell', 'tells and writes down')))
  expect(await plane.store.system(async (tx) => offerOfInstance(tx, await instance()))).toEqual([
    capability('read'),
    capability('tell', 'tells and writes down'),
    capability('write'),
  ])
  expect(await plane.store.system(async (tx) => countOffered(tx, [await instance()]))).toEqual(
    new Map([[place.instanceId, 3]]),
  )
})

test('another account finds nothing of an offer', async () => {
  await tell(first, BEFORE)
  expect(await plane.store.tenant('account_2', (tx) => tx.select().from(agentOffers))).toEqual([])
  expect(await plane.store.tenant('account_1', (tx) => tx.select().from(agentOffers))).toHaveLength(1)
})

test('an instance that waits for secrets of agents hands over what it offered, by its reconciler', async () => {
  await share()
  expect(await offers()).toEqual([])
  const status = { ...runningStatus({ name: place.instanceId, state: 'blocked', reason: 'missing_credential' }) }
  await plane.store.system((tx) => tx.update(instances).set({ status }))
  const { store, toolbox } = plane
  const { reconcile } = instanceReconciler({
    store,
    catalog: catalogWithTeller,
    clientOf: toolbox.clientOf,
    owner: 'test',
  })
  await reconcile(place.instanceId, new AbortController().signal)
  expect(await offers()).toHaveLength(2)
  expect((await instance()).capabilities).toBeNull()
})
