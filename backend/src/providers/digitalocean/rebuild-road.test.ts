import type { Direct } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeRoads } from '../../road-change/fake-roads.testing.ts'
import { roadChangeReconciler } from '../../road-change/road-change.reconciler.ts'
import { isChanging, roadOf } from '../../road-change/road-change.step.ts'
import type { Store } from '../../store/connect.ts'
import { activities } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import { beatOf } from '../../uplink/uplink.testing.ts'
import { dropletScene } from './droplet.testing.ts'

// A fresh disk begins with the road of the droplet's user-data, which cannot be changed: the road in use since then is asked for again.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const MINUTE = 60_000
const DIRECT: Direct = { port: 30_000, plainHttp: false }
const never = new AbortController().signal

/** A droplet that was made with one road, and is reached by another one since. */
async function scene(born: Direct | null) {
  const made = await dropletScene(store, { direct: born })
  await made.upAndActive()
  const begins = born ? 'direct' : 'tunnel'
  const fake = fakeRoads(begins)
  const { clock, id, row, change, door, droplets, emulator } = made
  const roads = roadChangeReconciler({ store, clock, random: () => 1, ...fake, doorOf: () => door })
  async function settleRoad() {
    for (let steps = 0; ; steps += 1) {
      if (steps > 200) throw new Error('the road does not come to an end')
      const outcome = await roads.reconcile(id, never)
      if (outcome.done) return
      await clock.advance(Math.max(outcome.retryAfterMs, 1))
    }
  }
  const toBorn = made.tokenInside()
  const shown = () =>
    droplets()[0]!
      .tags.find((tag) => tag.startsWith('agentopia-boot-'))!
      .slice('agentopia-boot-'.length)
  return {
    ...made,
    ...fake,
    settleRoad,
    async changeRoad(road: 'tunnel' | 'direct') {
      const roadAsked = { attempt: `to ${road}`, road, actor: 'ann', askedAt: new Date(clock.now()).toISOString() }
      await change({ roadAsked: { ...roadAsked, ...(road === 'direct' ? { port: 30_000 } : {}) } })
      await settleRoad()
    },
    /** With what is true on its fresh disk. */
    async rebuild() {
      const actionId = await made.ask({ kind: 'rebuild', confirm: 'whatever' })
      await made.actOn(actionId)
      for (let steps = 0; (await row()).status !== 'awaiting_heartbeat'; steps += 1) {
        if (steps > 50) throw new Error('it was never rebuilt')
        await made.actOn(actionId)
        await clock.advance(2_000)
      }
      fake.dtma.road = begins
      const seen = { direct: (await row()).direct, changing: isChanging(await row()), open: isOpen() }
      const { json } = await made.enrol(`${toBorn}.${shown()}`)
      await made.uplink.beat(json.dtmaBearerToken, beatOf('fresh', 1))
      await made.runAction(actionId, MINUTE)
      return { ...seen, action: await made.action(actionId) }
    },
    isOpen,
    told: async () =>
      (await store.system((tx) => tx.select().from(activities).where(eq(activities.toolboxId, id)))).map(
        ({ actor, message }) => `${actor}: ${message}`,
      ),
  }
  /** Whether the control plane is let in. */
  function isOpen(): boolean {
    const opened = [...emulator.world.firewalls.values()].filter(({ inbound_rules: rules }) => rules.length > 0)
    return opened.some(({ tags }) => tags.some((tag) => droplets()[0]!.tags.includes(tag)))
  }
}

test('made with the tunnel and changed to the direct road, it is reached by the tunnel after a rebuild, and by the direct road again', async () => {
  const { changeRoad, rebuild, row, settleRoad, isOpen, dtma, told } = await scene(null)
  await changeRoad('direct')
  expect([roadOf(await row()), isOpen()]).toEqual(['direct', true])
  expect(await rebuild()).toMatchObject({ direct: null, changing: false, action: { state: 'done' } })
  await settleRoad()
  expect(await row()).toMatchObject({ direct: DIRECT, roadProgress: { phase: 'done' }, status: 'active' })
  expect([dtma.road, isOpen()]).toEqual(['direct', true])
  expect(await told()).toContainEqual(expect.stringMatching(/^ann: .*direct road.*again.*rebuilt/))
})

test('made with the direct road and changed to the tunnel, its port is open again after a rebuild, until the tunnel is in use again', async () => {
  const { changeRoad, rebuild, row, settleRoad, isOpen, dtma } = await scene(DIRECT)
  await changeRoad('tunnel')
  expect([roadOf(await row()), isOpen()]).toEqual(['tunnel', false])
  expect(await rebuild()).toMatchObject({ direct: DIRECT, changing: false, open: true, action: { state: 'done' } })
  await settleRoad()
  expect(await row()).toMatchObject({ direct: null, roadProgress: { phase: 'done' }, status: 'active' })
  expect([dtma.road, isOpen()]).toEqual(['tunnel', false])
})

test('the road that it had does not come up again: it is reached by the one that it was made with', async () => {
  const { changeRoad, rebuild, row, settleRoad, dtma } = await scene(null)
  await changeRoad('direct')
  await rebuild()
  dtma.fault = 'no_connection'
  await settleRoad()
  expect(await row()).toMatchObject({ direct: null, roadProgress: { phase: 'failed' } })
  expect(dtma.road).toBe('tunnel')
})

test.each([
  ['tunnel', null],
  ['direct road', DIRECT],
] as const)(
  'one whose road, the %s, was never changed has it after a rebuild, and none is asked for',
  async (_, born) => {
    const { rebuild, row } = await scene(born)
    expect(await rebuild()).toMatchObject({ direct: born, action: { state: 'done' } })
    expect((await row()).roadAsked).toBeNull()
  },
)

test('of a droplet from before this was kept, the road that it was made with follows from the changes on record', async () => {
  const { changeRoad, rebuild, row, settleRoad, change } = await scene(null)
  await changeRoad('direct')
  const { bornBy: _, ...before } = (await row()).provisioning!
  await change({ provisioning: before })
  expect(await rebuild()).toMatchObject({ direct: null })
  await settleRoad()
  expect(await row()).toMatchObject({ direct: DIRECT, provisioning: { bornBy: 'tunnel' } })
})
