import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../new-id.ts'
import type { Store } from '../../store/connect.ts'
import { activities, instances } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import { nextStep } from '../../tools/instance.step.ts'
import { runningStatus } from '../../tools/tool-status.testing.ts'
import { beatOf } from '../../uplink/uplink.testing.ts'
import { UP_MS } from './droplet.step.ts'
import { dropletScene } from './droplet.testing.ts'

// What people do to droplets at DigitalOcean itself, and what the control plane says of it.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

async function scene() {
  const made = await dropletScene(store)
  const up = await made.upAndActive()
  const { sweep, clock, id } = made
  return {
    ...made,
    ...up,
    /** So many sweeps, five minutes apart. */
    async sweeps(times: number) {
      for (let n = 0; n < times; n += 1) {
        await sweep()
        await clock.advance(300_000)
      }
    },
    told: async (action: string) =>
      (await store.system((tx) => tx.select().from(activities).where(eq(activities.toolboxId, id)))).filter(
        (activity) => activity.action === action,
      ),
  }
}

test('P11 a droplet that was destroyed by hand is told as lost after two sweeps, and none is made instead', async () => {
  const { sweeps, emulator, dropletId, row, told, run, creates } = await scene()
  emulator.world.droplets.delete(dropletId)
  await sweeps(1)
  expect((await row()).status).toBe('active')
  await sweeps(1)
  expect(await row()).toMatchObject({
    status: 'lost',
    statusReason: expect.stringContaining('does not exist any more'),
  })
  await sweeps(3)
  await run(60_000)
  expect([(await told('toolbox.lost')).length, creates(), emulator.world.droplets.size]).toEqual([1, 1, 0])
})

test.each(['quarantined', 'error_provisioning'] as const)(
  'P11 one that is %s and was destroyed by hand is told as lost after two sweeps, and one that is there is not',
  async (status) => {
    const { sweeps, emulator, dropletId, row, change, told, creates } = await scene()
    await change({ status })
    await sweeps(3)
    expect((await row()).status).toBe(status)
    emulator.world.droplets.delete(dropletId)
    await sweeps(1)
    expect((await row()).status).toBe(status)
    await sweeps(2)
    expect(await row()).toMatchObject({ status: 'lost', statusReason: expect.stringContaining('"Create again"') })
    expect([(await told('toolbox.lost')).length, creates()]).toEqual([1, 1])
  },
)

test('P11 one that we destroyed because it never came up is not told as destroyed by hand', async () => {
  const { run, sweep, clock, emulator, row, droplets } = await dropletScene(store)
  emulator.knobs.bootMs = 24 * 60 * 60_000
  await run(60_000)
  await clock.advance(UP_MS)
  await run(60_000)
  for (let n = 0; n < 3; n += 1) {
    await sweep()
    await clock.advance(300_000)
  }
  expect(droplets()).toEqual([])
  expect(await row()).toMatchObject({ status: 'error_provisioning', doDropletId: null })
})

test('P11 one that was destroyed by hand while its heartbeat is awaited is lost, and none is made instead', async () => {
  const { run, row, emulator, creates, change } = await dropletScene(store)
  await run(8_000)
  expect((await row()).status).toBe('awaiting_heartbeat')
  emulator.world.droplets.clear()
  await run(30_000)
  expect((await row()).status).toBe('awaiting_heartbeat')
  await run(5 * 60_000)
  expect(await row()).toMatchObject({
    status: 'lost',
    statusReason: expect.stringContaining('does not exist any more'),
  })
  expect([creates(), emulator.world.droplets.size]).toEqual([1, 0])
  await change({ retries: 1 })
  await run(60_000)
  expect([(await row()).status, creates()]).toEqual(['awaiting_heartbeat', 2])
})

test('P11 one whose heartbeat is awaited is not lost because lists leave it out', async () => {
  const { run, row, droplets, creates } = await dropletScene(store)
  await run(8_000)
  droplets()[0]!.tags = []
  await run(5 * 60_000)
  expect([(await row()).status, creates()]).toEqual(['awaiting_heartbeat', 1])
})

test('P11 one that is off while it is provisioned is told as such with what it costs, and goes on with its power', async () => {
  const { run, step, row, droplets } = await dropletScene(store)
  await step()
  droplets()[0]!.off = true
  await run(60_000)
  expect(await row()).toMatchObject({
    status: 'provisioning',
    statusReason: expect.stringContaining('is powered off, and costs $6 a month all the same. Power it on'),
  })
  droplets()[0]!.off = false
  await run(60_000)
  expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', statusReason: null })
})

test('P11 one that stays off while it is provisioned is given up on in time, and not destroyed', async () => {
  const { run, step, row, droplets, clock } = await dropletScene(store)
  await step()
  droplets()[0]!.off = true
  await run(60_000)
  await clock.advance(UP_MS)
  await run(60_000)
  expect(await row()).toMatchObject({
    status: 'error_provisioning',
    statusReason: expect.stringContaining('is powered off'),
    doDropletId: droplets()[0]!.id,
  })
})

test('P11 created again, a lost one gets a new droplet in the same toolbox', async () => {
  const { sweeps, emulator, dropletId, change, run, row, droplets, creates } = await scene()
  emulator.world.droplets.delete(dropletId)
  await sweeps(2)
  await change({ retries: 1 })
  await run(60_000)
  expect([creates(), droplets().length]).toEqual([2, 1])
  expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', doDropletId: droplets()[0]!.id })
})

test('P11 created again, its tools are wanted as before, and are deployed on the fresh disk', async () => {
  const { accountId, id, sweeps, emulator, dropletId, change, run, row, uplink, enrol, tokenInside } = await scene()
  const instanceId = newId('inst')
  const tool = {
    id: instanceId,
    accountId,
    toolboxId: id,
    toolId: 'everything',
    name: 'demo',
    desired: 'running',
  } as const
  await store.system((tx) => tx.insert(instances).values({ ...tool, config: {}, status: runningStatus() }))
  const instance = async () =>
    (await store.system((tx) => tx.select().from(instances).where(eq(instances.id, instanceId))))[0]!
  expect(nextStep(await instance(), await row())).toBe('discover')

  emulator.world.droplets.delete(dropletId)
  await sweeps(2)
  await change({ retries: 1 })
  await run(60_000)
  const { dtmaBearerToken } = (await enrol(tokenInside())).json
  await uplink.beat(dtmaBearerToken!, beatOf('on the fresh disk', 1, { tools: [] }))
  expect((await row()).status).toBe('active')
  expect(await instance()).toMatchObject({ ...tool, status: null })
  expect(nextStep(await instance(), await row())).toBe('put')
})

test('P11 one that was told as lost and reports all the same is active', async () => {
  const { sweeps, emulator, dropletId, row, uplink, bearer } = await scene()
  emulator.world.droplets.delete(dropletId)
  await sweeps(2)
  expect((await row()).status).toBe('lost')
  await uplink.beat(bearer, beatOf('second', 1))
  expect(await row()).toMatchObject({ status: 'active', statusReason: null })
})

test('P11 a list that leaves a droplet out does not make it lost', async () => {
  const { sweeps, emulator, row, told, droplets } = await scene()
  const [droplet] = droplets()
  droplet!.tags = [] // somebody took its tags away: it is in no list of ours
  await sweeps(3)
  expect([(await row()).status, (await told('toolbox.lost')).length, emulator.world.droplets.size]).toEqual([
    'active',
    0,
    1,
  ])
})

test('P11 one that was powered off by hand is told as such with what it costs, is not powered on, and comes back with its power', async () => {
  const { sweeps, droplet, change, row, told, uplink, bearer, emulator } = await scene()
  droplet.off = true
  await change({ status: 'unresponsive', statusReason: 'No heartbeat for 60 seconds' })
  await sweeps(3)
  expect(await row()).toMatchObject({
    status: 'unresponsive',
    statusReason: expect.stringContaining('is powered off, and costs $6 a month'),
  })
  expect([(await told('toolbox.powered-off')).length, emulator.world.actions.length]).toEqual([1, 0])
  droplet.off = false
  await uplink.beat(bearer, beatOf('second', 1))
  expect(await row()).toMatchObject({ status: 'active', statusReason: null })
})

test('an address that changed is shown, and on record once', async () => {
  const { sweeps, droplet, row, told } = await scene()
  Object.assign(droplet, { address: '203.0.113.250' })
  await sweeps(2)
  expect([(await row()).publicIpAddress, (await told('toolbox.moved')).length]).toEqual(['203.0.113.250', 1])
})
