import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { activities, toolboxes } from '../store/schema/index.ts'
import { lockTable, openTestStore } from '../store/testing.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { watchLiveness } from './toolbox.liveness.ts'
import { findToolbox } from './toolbox.store.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

/** A watch whose looks the test takes itself. */
async function scene() {
  await store.system((tx) => tx.delete(toolboxes))
  await store.system((tx) => tx.delete(activities))
  const clock = manualClock()
  const ended = AbortSignal.abort()
  const liveness = watchLiveness({ store, clock, signal: ended, log: pino({ level: 'silent' }) })
  let time = 0
  return {
    liveness,
    clock,
    active: async () => {
      const lastHeartbeatAt = new Date(clock.now())
      return (await insertToolbox(store, { status: 'active', lastHeartbeatAt })).id
    },
    beat: (id: string) =>
      store.system((tx) =>
        tx
          .update(toolboxes)
          .set({ lastHeartbeatAt: new Date(clock.now()) })
          .where(eq(toolboxes.id, id)),
      ),
    /** Moves on to so many seconds after the start, looking every five, as the watch does. */
    async at(seconds: number) {
      for (; time < seconds; time += 5) {
        await clock.advance(5_000)
        await liveness.look()
      }
    },
    status: async (id: string) => (await store.system((tx) => findToolbox(tx, id)))!.status,
    told: () => store.system((tx) => tx.select().from(activities)),
  }
}

test('L01 a toolbox that falls silent is unresponsive after a minute, and it is told once', async () => {
  const { active, at, status, told } = await scene()
  const id = await active()
  await at(55)
  expect(await status(id)).toBe('active')
  await at(60)
  expect(await status(id)).toBe('unresponsive')
  await at(300)
  expect((await told()).map(({ action }) => action)).toEqual(['toolbox.unresponsive'])
})

test('L10 a toolbox that was silent before we started has five minutes', async () => {
  const { active, at, status, clock, beat } = await scene()
  const id = await active()
  await store.system((tx) => tx.update(toolboxes).set({ lastHeartbeatAt: new Date(clock.now() - 3_600_000) }))
  await at(295)
  expect(await status(id)).toBe('active')
  await at(300)
  expect(await status(id)).toBe('unresponsive')
  await beat(id)
})

test('after a pause of our own the grace begins anew', async () => {
  const { active, liveness, status, clock } = await scene()
  const id = await active()
  await clock.advance(3_600_000)
  await liveness.look()
  expect(await status(id)).toBe('active')
  expect(liveness.listeningSince()).toBe(clock.now())
})

test('L11 when many fall silent at once their status is held, and told once to each account', async () => {
  const { active, at, status, told, beat } = await scene()
  const ids = await Promise.all(Array.from({ length: 10 }, active))
  await at(30)
  for (const id of ids.slice(6)) await beat(id)
  await at(60)
  for (const id of ids.slice(6)) await beat(id)
  await at(85)
  expect(await Promise.all(ids.map(status))).toEqual(ids.map(() => 'active'))
  expect((await told()).map(({ action }) => action)).toEqual(['toolbox.silence-held'])
})

test.each([
  ['forward', 86_400_000],
  ['back', -86_400_000],
])('D15: a clock that jumps a day %s makes no toolbox silent, and hides none that is', async (_, jumpMs) => {
  const { active, beat, at, status, told, clock, liveness } = await scene()
  const [alive, dead] = [await active(), await active()]
  await at(10)
  clock.set(jumpMs)
  await liveness.look()
  expect(await told()).toEqual([])
  for (let seconds = 15; seconds <= 300; seconds += 5) {
    await beat(alive)
    await at(seconds)
    expect(await status(alive)).toBe('active')
  }
  await beat(alive)
  await at(320)
  expect([await status(alive), await status(dead)]).toEqual(['active', 'unresponsive'])
})

test('R04 a database that writes nothing down for a minute makes no toolbox unresponsive', async () => {
  const { active, at, status, clock, liveness, beat } = await scene()
  await at(300)
  const id = await active()
  await at(305)
  const letGo = await lockTable(store, 'account_tool_environments', 'share')
  let looking: Promise<void> | undefined
  for (let seconds = 0; seconds < 90; seconds += 5) {
    await clock.advance(5_000)
    looking ??= liveness.look().finally(() => {
      looking = undefined
    })
    await store.system((tx) => tx.execute('select 1'))
  }
  await letGo()
  await looking
  await clock.advance(5_000)
  await liveness.look()
  expect(await status(id)).toBe('active')
  await beat(id)
  await at(300 + 55)
  expect(await status(id)).toBe('active')
})
