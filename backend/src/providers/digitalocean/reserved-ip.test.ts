import { and, eq, like } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { activities } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import { beatOf } from '../../uplink/uplink.testing.ts'
import { dropletScene } from './droplet.testing.ts'

// Partners have let an address in. It stays when the droplet is another, until somebody releases it or removes the toolbox.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const MINUTE = 60_000
const CHANGES = /^\/v2\/reserved_ips\/[\d.]+\/actions$/

/** A droplet that is active, and has a reserved address. */
async function scene() {
  const made = await dropletScene(store)
  const up = await made.upAndActive()
  await made.runAction(await made.ask({ kind: 'assign_reserved_ip' }), MINUTE)
  const { emulator, client, change, row, droplets, id } = made
  const ip = (await row()).reservedIpAddress!
  const { reservedIps, calls } = emulator.world
  return {
    ...made,
    ...up,
    ip,
    leadsTo: () => reservedIps.get(ip),
    changes: () => calls.filter((call) => call.startsWith('POST /v2/reserved_ips/')).length,
    /** Somebody has destroyed its droplet, and asks for another one. */
    async createAgain() {
      await client.destroyDroplet(up.dropletId, AbortSignal.timeout(5_000))
      await change({ status: 'lost', retries: 1 })
    },
    /** As the loop does, until there is another droplet that is adopted. */
    async untilAdopted() {
      for (let steps = 0; (await row()).status !== 'awaiting_heartbeat'; steps += 1) {
        if (steps > 50) throw new Error('it was never adopted')
        await made.step()
        await made.clock.advance(2_000)
      }
      return droplets()[0]!.id
    },
    told: async () =>
      (
        await store.system((tx) =>
          tx
            .select()
            .from(activities)
            .where(and(eq(activities.toolboxId, id), like(activities.action, 'toolbox.address-%'))),
        )
      ).map(({ action, message }) => `${action}: ${message}`),
  }
}

test('created again after it was lost, a toolbox has the same address, and it leads to the new droplet', async () => {
  const { createAgain, run, row, droplets, dropletId, ip, leadsTo, told, emulator } = await scene()
  await createAgain()
  expect(leadsTo()).toBeUndefined()
  await run(MINUTE)
  expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', reservedIpAddress: ip })
  expect(droplets()[0]!.id).not.toBe(dropletId)
  expect([leadsTo(), emulator.world.reservedIps.size]).toEqual([droplets()[0]!.id, 1])
  expect(await told()).toEqual([expect.stringMatching(`address-assigned: .*${ip}.*${droplets()[0]!.id}`)])
})

test('tried again after its installation failed, a toolbox has the same address, and it leads to the new droplet', async () => {
  const { change, run, row, droplets, dropletId, ip, leadsTo, changes } = await scene()
  await change({ status: 'error_provisioning', retries: 1 })
  await run(MINUTE)
  expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', reservedIpAddress: ip })
  expect(droplets().map(({ id }) => id)).not.toContain(dropletId)
  expect([leadsTo(), changes()]).toEqual([droplets()[0]!.id, 1])
})

test('one that was reserved and whose answer was lost stays as well', async () => {
  const { change, run, row, droplets, ip, leadsTo } = await scene()
  await change({ status: 'error_provisioning', retries: 1, reservedIpAddress: null })
  await run(MINUTE)
  expect([leadsTo(), (await row()).reservedIpAddress]).toEqual([droplets()[0]!.id, ip])
})

test('it is given back when the toolbox is removed, also after that', async () => {
  const { createAgain, change, run, row, emulator } = await scene()
  await createAgain()
  await run(MINUTE)
  await change({ desired: 'absent' })
  await run(5 * MINUTE)
  expect([(await row()).status, emulator.world.reservedIps.size]).toEqual(['deprovisioned', 0])
})

describe('the control plane dies', () => {
  test('between the adoption and the assignment: the next one assigns it', async () => {
    const { createAgain, untilAdopted, run, leadsTo, changes, id, make } = await scene()
    await createAgain()
    const droplet = await untilAdopted()
    expect([leadsTo(), changes()]).toEqual([undefined, 0])
    await run(MINUTE, id, make('heir'))
    expect([leadsTo(), changes()]).toEqual([droplet, 1])
  })

  test('between the assignment and its record: the next one finds it, and assigns nothing', async () => {
    const { createAgain, untilAdopted, run, leadsTo, changes, emulator, told } = await scene()
    await createAgain()
    const droplet = await untilAdopted()
    emulator.fail({ method: 'POST', path: CHANGES, answer: 'drop', afterEffect: true })
    await run(MINUTE)
    expect([leadsTo(), changes(), (await told()).length]).toEqual([droplet, 1, 1])
  })
})

test('while DigitalOcean does something else with the droplet, it comes after that; DTMA need not wait for it', async () => {
  const { createAgain, untilAdopted, run, row, leadsTo, emulator, client, enrol, tokenInside, uplink } = await scene()
  await createAgain()
  const droplet = await untilAdopted()
  emulator.knobs.actionMs = 3 * MINUTE
  await client.act(droplet, { type: 'snapshot', name: 'by-hand' }, AbortSignal.timeout(5_000))
  await run(MINUTE)
  const { json } = await enrol(tokenInside())
  await uplink.beat(json.dtmaBearerToken, beatOf('r', 1))
  await run(1_000)
  expect([(await row()).status, leadsTo()]).toEqual(['active', undefined])
  await run(5 * MINUTE)
  expect([(await row()).status, leadsTo()]).toEqual(['active', droplet])
})

describe('what cannot be', () => {
  test('another droplet has got the address meanwhile: that is told, and it is left there, also when the toolbox is removed', async () => {
    const { createAgain, run, row, leadsTo, changes, emulator, foreign, ip, told, change } = await scene()
    const other = await foreign([])
    await createAgain()
    emulator.world.reservedIps.set(ip, other.id)
    await run(10 * MINUTE)
    expect([leadsTo(), changes(), (await row()).reservedIpAddress]).toEqual([other.id, 0, null])
    expect(await told()).toEqual([expect.stringMatching(`address-lost: .*${ip}.*droplet ${other.id}`)])
    await change({ desired: 'absent' })
    await run(5 * MINUTE)
    expect([(await row()).status, leadsTo()]).toEqual(['deprovisioned', other.id])
  })

  test('somebody has released the address meanwhile: that is told, and it is not shown any more', async () => {
    const { createAgain, run, row, changes, emulator, ip, told } = await scene()
    await createAgain()
    emulator.world.reservedIps.delete(ip)
    await run(10 * MINUTE)
    expect([changes(), (await row()).reservedIpAddress]).toEqual([0, null])
    expect(await told()).toEqual([expect.stringMatching(`address-lost: .*${ip}.*released`)])
  })

  test('the token may not assign it: that is told once with what to do, and the address is kept', async () => {
    const { createAgain, run, row, changes, emulator, ip, told } = await scene()
    await createAgain()
    emulator.fail({ method: 'POST', path: CHANGES, answer: 403, message: 'not authorized', times: 99 })
    await run(10 * MINUTE)
    expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', reservedIpAddress: ip })
    expect([changes(), await told()]).toEqual([
      1,
      [expect.stringMatching(/address-kept: .*not authorized.*Assign it.*at DigitalOcean/)],
    ])
  })

  test('a droplet that stays busy is not asked for ever', async () => {
    const { createAgain, run, row, changes, emulator, ip, told } = await scene()
    await createAgain()
    const message = 'Droplet already has a pending event.'
    emulator.fail({ method: 'POST', path: CHANGES, answer: 422, message, times: 1_000 })
    await run(60 * MINUTE)
    expect(changes()).toBe(40)
    expect([(await row()).reservedIpAddress, await told()]).toEqual([
      ip,
      [expect.stringMatching(/address-kept: .*pending event/)],
    ])
  })
})
