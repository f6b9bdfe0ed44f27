import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { activities, type toolboxes } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import { SWEEP_EVERY_MS } from './droplet.sweep.ts'
import { dropletScene } from './droplet.testing.ts'

// What people do to the firewalls of droplets at DigitalOcean itself: it is undone, and said.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const NAME = 'agentopia-abcdef012345'
const DIRECT = { port: 30_000, plainHttp: false } as const
const SSH = { protocol: 'tcp', ports: '22', sources: { addresses: ['0.0.0.0/0', '::/0'] } } as const

async function scene(over: Partial<typeof toolboxes.$inferInsert> = {}) {
  const made = await dropletScene(store, over)
  await made.run(8_000)
  const { firewalls, calls } = made.emulator.world
  const named = (name: string) => [...firewalls.values()].find((firewall) => firewall.name === name)
  return {
    ...made,
    named,
    /** Somebody is at DigitalOcean's own page. */
    byHand(name: string, change: object) {
      const firewall = named(name)!
      firewalls.set(firewall.id, { ...firewall, ...change })
    },
    deleteByHand: (name: string) => firewalls.delete(named(name)!.id),
    /** What a sweep asks of DigitalOcean. */
    async sweepCalls() {
      const before = calls.length
      await made.sweep()
      return calls.slice(before)
    },
    told: async () =>
      (await store.system((tx) => tx.select().from(activities).where(eq(activities.accountId, made.accountId))))
        .filter(({ action }) => action === 'droplet.firewall-mended')
        .map(({ message }) => message),
  }
}

test('a rule that somebody added is taken away, and it is on record which', async () => {
  const { byHand, sweep, named, told } = await scene()
  byHand(NAME, { inbound_rules: [SSH] })
  await sweep()
  expect(named(NAME)).toMatchObject({ inbound_rules: [] })
  expect(await told()).toEqual([
    `Mended the firewall ${NAME} at DigitalOcean: it let in tcp 22 from 0.0.0.0/0, tcp 22 from ::/0`,
  ])
  await sweep()
  expect(await told()).toHaveLength(1)
})

test('a rule that names its sources otherwise than by address is taken away too', async () => {
  const { byHand, sweep, named, told } = await scene()
  byHand(NAME, { inbound_rules: [{ protocol: 'tcp', ports: '22', sources: { addresses: [], tags: ['office'] } }] })
  await sweep()
  expect(named(NAME)).toMatchObject({ inbound_rules: [] })
  expect(await told()).toEqual([expect.stringContaining('it let in tcp 22 from tags office')])
})

test('a tag that was removed is there again, also when there is no such tag any more', async () => {
  const { byHand, sweep, named, told, ownTags, emulator } = await scene()
  byHand(NAME, { tags: [] })
  emulator.world.tags.clear()
  await sweep()
  expect(named(NAME)).toMatchObject({ tags: [ownTags()[1]], inbound_rules: [] })
  expect(await told()).toEqual([expect.stringContaining(`it lacked the tag ${ownTags()[1]}`)])
})

test('a firewall that was deleted is made anew', async () => {
  const { deleteByHand, sweep, named, told, ownTags } = await scene()
  deleteByHand(NAME)
  await sweep()
  expect(named(NAME)).toMatchObject({ tags: [ownTags()[1]], inbound_rules: [] })
  expect(await told()).toEqual([`Mended the firewall ${NAME} at DigitalOcean: it was gone`])
})

test('that of the direct road is mended as well: it lets the control plane in at the port of DTMA, and nobody else', async () => {
  const { byHand, sweep, named, told } = await scene({ direct: DIRECT })
  const { inbound_rules: right } = named(`${NAME}-direct`)!
  byHand(`${NAME}-direct`, { inbound_rules: [SSH] })
  await sweep()
  expect(named(`${NAME}-direct`)).toMatchObject({ inbound_rules: right })
  expect(await told()).toEqual([
    `Mended the firewall ${NAME}-direct at DigitalOcean: it let in tcp 22 from 0.0.0.0/0, tcp 22 from ::/0; it did not let in tcp 30000 from 198.51.100.7`,
  ])
})

test('each that differs is one line', async () => {
  const { byHand, deleteByHand, sweep, told } = await scene({ direct: DIRECT })
  byHand(NAME, { inbound_rules: [SSH] })
  deleteByHand(`${NAME}-direct`)
  await sweep()
  expect((await told()).toSorted()).toEqual([
    expect.stringContaining(`the firewall ${NAME} at DigitalOcean: it let in`),
    expect.stringContaining(`the firewall ${NAME}-direct at DigitalOcean: it was gone`),
  ])
})

test('an address that is written otherwise is the same one', async () => {
  const { byHand, sources, sweep, told } = await scene({ direct: DIRECT })
  sources.splice(0, 1, '198.51.100.7', '2001:DB8::0001')
  const addresses = ['2001:db8::1/128', '198.51.100.7/32']
  byHand(`${NAME}-direct`, { inbound_rules: [{ protocol: 'tcp', ports: '30000', sources: { addresses } }] })
  await sweep()
  expect(await told()).toEqual([])
})

test('while all is as it must be, a sweep reads two lists, changes nothing and tells nothing', async () => {
  const { sweepCalls, told, clock } = await scene({ direct: DIRECT })
  for (let n = 0; n < 3; n += 1) {
    expect(await sweepCalls()).toEqual(['GET /v2/droplets', 'GET /v2/firewalls'])
    await clock.advance(SWEEP_EVERY_MS)
  }
  expect(await told()).toEqual([])
})

test('without a droplet no firewall is looked for', async () => {
  const { sweepCalls, droplets, emulator } = await scene()
  emulator.world.droplets.delete(droplets()[0]!.id)
  expect(await sweepCalls()).not.toContain('GET /v2/firewalls')
})

test('while nobody has looked at a database that was restored, they are left alone', async () => {
  const { byHand, sweep, named, told, recovering } = await scene()
  byHand(NAME, { inbound_rules: [SSH] })
  recovering(true)
  await sweep()
  expect([named(NAME)?.inbound_rules, await told()]).toEqual([[SSH], []])
})

test('one that cannot be mended is tried again with the next sweep; strays go all the same', async () => {
  const { byHand, sweep, named, told, emulator, foreign, ownTags, clock, droplets } = await scene()
  await foreign(ownTags('toolbox_0000000000000000'))
  await sweep()
  await clock.advance(600_000)
  byHand(NAME, { inbound_rules: [SSH] })
  emulator.fail({ method: 'PUT', path: /firewalls/, answer: 403 })
  await expect(sweep()).rejects.toThrow('403')
  expect([droplets().length, await told()]).toEqual([1, []])
  await sweep()
  expect([named(NAME)?.inbound_rules, (await told()).length]).toEqual([[], 1])
})

test('whoever asks for a droplet gets a firewall that is as it must be', async () => {
  const { byHand, change, run, named } = await scene()
  byHand(NAME, { inbound_rules: [SSH], tags: [] })
  await change({ status: 'error_provisioning', retries: 1 })
  await run(20_000)
  expect(named(NAME)).toMatchObject({ inbound_rules: [], tags: ['agentopia-env-abcdef012345'] })
})
