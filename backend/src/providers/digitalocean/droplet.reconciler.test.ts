import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { activities, toolboxes } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import { beatOf, newKey } from '../../uplink/uplink.testing.ts'
import { ENROL_MS, LIST_LAG_MS, LOOKS_BEFORE_ASKING_AGAIN, UP_MS } from './droplet.step.ts'
import { dropletScene } from './droplet.testing.ts'

// The life of a droplet, on an emulated DigitalOcean that misbehaves as the real one was seen to.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const DIRECT = { port: 30_000, plainHttp: false } as const
const MINUTE = 60_000
const CREATE = /^\/v2\/droplets$/
const ONE = /^\/v2\/droplets\/\d+$/

describe('a droplet', () => {
  test('is asked for once, adopted with its address, enrols with the token of its user-data, and becomes active', async () => {
    const { run, row, droplets, tokenInside, enrol, uplink, creates, emulator } = await dropletScene(store)
    await run(8_000)
    expect(await row()).toMatchObject({
      status: 'awaiting_heartbeat',
      doDropletId: droplets()[0]!.id,
      publicIpAddress: droplets()[0]!.address,
    })
    const { json } = await enrol(tokenInside())
    await uplink.beat(json.dtmaBearerToken, beatOf('r', 1))
    await run(MINUTE)
    expect([(await row()).status, creates()]).toEqual(['active', 1])
    expect(emulator.world.calls.length).toBeLessThan(15)
  })

  test('has the tags of product, environment and toolbox, and nothing may come in', async () => {
    const { run, droplets, ownTags, emulator } = await dropletScene(store)
    await run(8_000)
    expect(droplets()[0]!.tags).toEqual(ownTags())
    expect([...emulator.world.firewalls.values()]).toMatchObject([{ tags: [ownTags()[1]], inbound_rules: [] }])
  })

  test('of the direct road is open at the port of DTMA, to the control plane alone', async () => {
    const { run, droplets, ownTags, emulator } = await dropletScene(store, { direct: DIRECT })
    await run(8_000)
    const [closed, opened] = [...emulator.world.firewalls.values()]
    expect(closed).toMatchObject({ tags: [ownTags()[1]], inbound_rules: [] })
    expect(opened).toMatchObject({
      tags: [`${ownTags()[1]}-direct`],
      inbound_rules: [{ protocol: 'tcp', ports: '30000', sources: { addresses: ['198.51.100.7'] } }],
    })
    expect(droplets()[0]!.tags).toEqual([...ownTags(), ...opened!.tags])
    expect(droplets()[0]!.userData).toContain('sh "$SCRIPT" --direct 30000 "$TOOLBOX_ID"')
  })

  test('of the direct road is shut to an address from which the control plane no longer dials', async () => {
    const scene = await dropletScene(store, { direct: DIRECT })
    await scene.run(8_000)
    scene.sources.splice(0, 1, '198.51.100.8', '198.51.100.9')
    await scene.change({ status: 'error_provisioning', retries: 1 })
    await scene.run(20_000)
    const opened = [...scene.emulator.world.firewalls.values()][1]
    expect(opened).toMatchObject({ inbound_rules: [{ sources: { addresses: ['198.51.100.8', '198.51.100.9'] } }] })
    expect(scene.emulator.world.firewalls.size).toBe(2)
  })

  test('that is active before its address can be read is waited for', async () => {
    const { run, row, emulator } = await dropletScene(store)
    emulator.knobs.addressDelayMs = 40_000
    await run(30_000)
    expect((await row()).status).toBe('provisioning')
    await run(30_000)
    expect((await row()).status).toBe('awaiting_heartbeat')
  })

  test('E04 a slow boot is enrolled with the same token for as long as an hour', async () => {
    const { run, tokenInside, enrol, clock, row } = await dropletScene(store)
    await run(8_000)
    await run(14 * MINUTE)
    await clock.advance(4 * MINUTE)
    expect((await enrol(tokenInside())).status).toBe(201)
    expect((await row()).status).toBe('awaiting_heartbeat')
  })
})

describe('a clock that jumps', () => {
  test.each([
    ['forward', 24 * 60 * MINUTE],
    ['back', -24 * 60 * MINUTE],
  ])('D15 a day %s destroys no droplet that boots, and keeps none that never comes up', async (_, jumpMs) => {
    const { run, row, droplets, creates, emulator, clock, make, id } = await dropletScene(store)
    emulator.knobs.bootMs = 24 * 60 * MINUTE
    const reconciler = make()
    await run(MINUTE, id, reconciler)
    clock.set(jumpMs)
    await run(MINUTE, id, reconciler)
    expect([(await row()).status, droplets().length, creates()]).toEqual(['provisioning', 1, 1])
    await run(UP_MS, id, reconciler)
    expect([(await row()).status, droplets().length]).toEqual(['error_provisioning', 0])
  })

  test.each([
    ['forward', 24 * 60 * MINUTE],
    ['back', -24 * 60 * MINUTE],
  ])('D15 a day %s leaves a droplet that is up its time to enrol', async (_, jumpMs) => {
    const { run, row, clock, make, id } = await dropletScene(store)
    const reconciler = make()
    await run(MINUTE, id, reconciler)
    expect((await row()).status).toBe('awaiting_heartbeat')
    clock.set(jumpMs)
    await run(MINUTE, id, reconciler)
    expect((await row()).status).toBe('awaiting_heartbeat')
    await run(ENROL_MS, id, reconciler)
    expect((await row()).status).toBe('error_provisioning')
  })
})

describe('an answer that was lost', () => {
  const adopted = async (answer: number | 'drop') => {
    const { run, row, droplets, creates, emulator } = await dropletScene(store)
    emulator.fail({ method: 'POST', path: CREATE, answer, afterEffect: true })
    await run(MINUTE)
    expect([droplets().length, creates()]).toEqual([1, 1])
    expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', doDropletId: droplets()[0]!.id })
  }
  test('P01 the connection is cut after the droplet was made: it is adopted by its tag', () => adopted('drop'))
  test('P04 a gateway answers 502 after the droplet was made: it is adopted by its tag', () => adopted(502))
  test('P04 a server answers 500 after the droplet was made: it is adopted by its tag', () => adopted(500))

  test('P01 with lists that lag, nothing is asked for again before five looks and a minute', async () => {
    const { run, clock, droplets, creates, emulator, row } = await dropletScene(store)
    emulator.knobs.listLagMs = 50_000
    emulator.fail({ method: 'POST', path: CREATE, answer: 'drop', afterEffect: true })
    const start = clock.now()
    await run(2 * MINUTE)
    expect([droplets().length, creates(), (await row()).status]).toEqual([1, 1, 'awaiting_heartbeat'])
    expect(clock.now() - start).toBeGreaterThan(50_000)
  })

  test('when nothing was made, it is asked for once more, after the looks', async () => {
    const { run, droplets, creates, emulator, clock } = await dropletScene(store)
    emulator.fail({ method: 'POST', path: CREATE, answer: 'drop' })
    const looks = () => emulator.world.calls.filter((call) => call === 'GET /v2/droplets').length
    const start = clock.now()
    while (creates() < 2 && clock.now() - start < 10 * MINUTE) await run(1)
    expect(clock.now() - start).toBeGreaterThanOrEqual(LIST_LAG_MS)
    expect(looks()).toBeGreaterThanOrEqual(LOOKS_BEFORE_ASKING_AGAIN)
    await run(MINUTE)
    expect([droplets().length, creates()]).toEqual([1, 2])
  })

  test('twice lost with nothing made, people are asked to look', async () => {
    const { run, creates, emulator, row } = await dropletScene(store)
    emulator.fail({ method: 'POST', path: CREATE, answer: 'drop', times: 9 })
    await run(30 * MINUTE)
    expect(creates()).toBe(2)
    expect(await row()).toMatchObject({
      status: 'error_provisioning',
      statusReason: expect.stringContaining('2 times'),
    })
  })

  test('202, and then there is no such droplet: one more, not many', async () => {
    const { run, creates, emulator, droplets, row } = await dropletScene(store)
    emulator.knobs.vanishing = 1
    await run(10 * MINUTE)
    expect([creates(), droplets().filter(({ vanishesAt }) => vanishesAt === Number.POSITIVE_INFINITY).length]).toEqual([
      2, 1,
    ])
    expect((await row()).status).toBe('awaiting_heartbeat')
  })

  test('P02 the control plane dies between the creation and its record: the next one adopts within a minute', async () => {
    const { make, step, row, droplets, creates, emulator, run, change, clock } = await dropletScene(store)
    // Dead at that moment: the answer reaches nobody, and the lease is still the dead one's.
    emulator.fail({ method: 'POST', path: CREATE, answer: 'drop', afterEffect: true })
    await expect(step(make('dead'))).rejects.toThrow('cannot be reached')
    await change({ leaseOwner: 'dead', leaseUntil: new Date(Date.now() + 60_000) })
    expect(await step(make('heir'))).toEqual({ done: false, retryAfterMs: 10_000 })
    await change({ leaseUntil: new Date(Date.now() - 1) })
    const start = clock.now()
    await run(30_000)
    expect([droplets().length, creates()]).toEqual([1, 1])
    expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', doDropletId: droplets()[0]!.id })
    expect(clock.now() - start).toBeLessThan(MINUTE)
  })

  test('P03 an answer that we cannot read after the creation is no failure of the toolbox', async () => {
    const { step, run, row, droplets, creates, emulator } = await dropletScene(store)
    emulator.fail({ method: 'POST', path: CREATE, answer: 200, afterEffect: true })
    await expect(step()).rejects.toThrow('cannot be read')
    expect((await row()).status).toBe('provisioning')
    await run(MINUTE)
    expect([droplets().length, creates(), (await row()).status]).toEqual([1, 1, 'awaiting_heartbeat'])
  })
})

describe('a refusal', () => {
  test.each([
    ['P06 a quota', 'creating this/these droplet(s) will exceed your droplet limit'],
    ['P06 a size that is not there', 'You specified an invalid size for Droplet creation.'],
  ])('%s is told at once, and nothing is tried until somebody says so', async (_, message) => {
    const { run, row, emulator, creates, change } = await dropletScene(store)
    emulator.fail({ method: 'POST', path: CREATE, answer: 422, message })
    await run(5 * MINUTE)
    expect(await row()).toMatchObject({ status: 'error_provisioning', statusReason: expect.stringContaining(message) })
    expect(creates()).toBe(1)
    await change({ retries: 1 })
    await run(MINUTE)
    expect([(await row()).status, creates()]).toEqual(['awaiting_heartbeat', 2])
  })

  test('a token that was revoked is told at once', async () => {
    const { run, row, emulator } = await dropletScene(store)
    emulator.knobs.scopes = new Set(['droplet:read', 'firewall:read', 'tag:create', 'firewall:create'])
    await run(MINUTE)
    expect(await row()).toMatchObject({
      status: 'error_provisioning',
      statusReason: expect.stringContaining('not authorized'),
    })
  })

  test('P05 a storm of 429 is waited out as it says', async () => {
    const { run, row, emulator, creates, clock } = await dropletScene(store)
    emulator.fail({ method: 'POST', path: CREATE, answer: 429, retryAfterSeconds: 30, times: 3 })
    const start = clock.now()
    await run(1)
    expect((await row()).statusReason).toContain('Waits')
    await run(5 * MINUTE)
    expect([(await row()).status, (await row()).statusReason, creates()]).toEqual(['awaiting_heartbeat', null, 4])
    expect(clock.now() - start).toBeGreaterThan(90_000)
  })
})

describe('a deadline', () => {
  test('P07 a droplet that stays new is destroyed, and people are told', async () => {
    const { run, row, droplets, emulator, creates } = await dropletScene(store)
    emulator.knobs.bootMs = 5 * UP_MS
    await run(UP_MS + MINUTE)
    expect(await row()).toMatchObject({
      status: 'error_provisioning',
      statusReason: expect.stringContaining('destroyed'),
    })
    expect([droplets().length, creates()]).toEqual([0, 1])
  })

  test('P08 a droplet that never enrols is told after twenty minutes, with how far it came; tried again, it is another one', async () => {
    const { run, row, droplets, creates, change } = await dropletScene(store)
    await run(8_000)
    const first = droplets()[0]!.id
    const boot = {
      stages: [{ stage: 'docker', state: 'failed', at: new Date().toISOString() }],
      log: 'no space left',
    } as const
    await change({ boot: { ...boot, stages: [...boot.stages] } })
    await run(ENROL_MS + MINUTE)
    expect(await row()).toMatchObject({
      status: 'error_provisioning',
      statusReason: expect.stringMatching(/20 minutes.*docker, failed/),
    })
    await run(60 * MINUTE)
    expect([droplets().length, creates()]).toEqual([1, 1])
    await change({ retries: 1 })
    await run(MINUTE)
    expect([droplets().length, creates(), (await row()).status]).toEqual([1, 2, 'awaiting_heartbeat'])
    expect(droplets()[0]!.id).not.toBe(first)
  })

  test('who comes after all is active', async () => {
    const { run, row, tokenInside, enrol, uplink } = await dropletScene(store)
    await run(8_000)
    await run(ENROL_MS + MINUTE)
    const { json } = await enrol(tokenInside())
    await uplink.beat(json.dtmaBearerToken, beatOf('r', 1))
    expect((await row()).status).toBe('active')
  })
})

describe('the end', () => {
  test('is when the provider has none any more, seen twice', async () => {
    const { run, row, droplets, change, disconnected, id, emulator } = await dropletScene(store)
    await run(8_000)
    await change({ desired: 'absent' })
    await run(MINUTE)
    expect([droplets().length, (await row()).status, disconnected.includes(id)]).toEqual([0, 'deprovisioned', true])
    expect(await row()).toMatchObject({ dtmaBearerToken: null, backendToDtmaApiKey: null, deletedAt: expect.any(Date) })
    const deletedAt = emulator.world.calls.findIndex((call) => call.startsWith('DELETE'))
    expect(
      emulator.world.calls.slice(deletedAt).filter((call) => call === 'GET /v2/droplets').length,
    ).toBeGreaterThanOrEqual(2)
  })

  test('a delete that was answered and not done is done again', async () => {
    const { run, row, droplets, change, emulator } = await dropletScene(store)
    await run(8_000)
    emulator.knobs.deletesIgnored = 2
    await change({ desired: 'absent' })
    await run(MINUTE)
    expect([droplets().length, (await row()).status]).toEqual([0, 'deprovisioned'])
  })

  test('P14 asked for while the answer to the creation is lost: the droplet is found by its tag, and goes', async () => {
    const { step, run, row, droplets, change, emulator, creates } = await dropletScene(store)
    emulator.knobs.listLagMs = 40_000
    emulator.fail({ method: 'POST', path: CREATE, answer: 'drop', afterEffect: true })
    await expect(step()).rejects.toThrow()
    expect(await row()).toMatchObject({ doDropletId: null })
    await change({ desired: 'absent' })
    await run(10_000)
    expect((await row()).status).toBe('deprovisioning')
    await run(2 * MINUTE)
    expect([droplets().length, creates(), (await row()).status]).toEqual([0, 1, 'deprovisioned'])
  })

  test('P15 while the provider cannot delete for an hour, it is tried for an hour, and said', async () => {
    const { run, row, droplets, change, emulator, clock } = await dropletScene(store)
    await run(8_000)
    emulator.fail({ method: 'DELETE', path: ONE, answer: 503, times: 1_000 })
    await change({ desired: 'absent' })
    await run(60 * MINUTE)
    expect(await row()).toMatchObject({
      status: 'error_deprovisioning',
      statusReason: expect.stringContaining('503'),
      deletedAt: null,
    })
    expect(droplets()).toHaveLength(1)
    emulator.knobs.faults.length = 0
    await clock.advance(MINUTE)
    await run(5 * MINUTE)
    expect([droplets().length, (await row()).status]).toEqual([0, 'deprovisioned'])
  })

  test('E10 a droplet that is to go is locked out at once, however long the provider does not delete it', async () => {
    const scene = await dropletScene(store)
    const { run, row, change, emulator, uplink, tokenInside } = scene
    const { bearer } = await scene.upAndActive()
    emulator.fail({ method: 'DELETE', path: ONE, answer: 503, times: 1_000 })
    await change({ desired: 'absent' })
    await run(1_000)
    expect((await uplink.beat(bearer, beatOf('first', 2))).status).toBe(401)
    expect((await uplink.enrol(newKey()((await row()).id, tokenInside()))).status).toBe(401)
    expect(await row()).toMatchObject({ dtmaBearerToken: null, backendToDtmaApiKey: null, deletedAt: null })
  })

  test('before anything was asked for, it is at once', async () => {
    const { run, row, change, creates } = await dropletScene(store)
    await change({ desired: 'absent' })
    await run(10_000)
    expect([(await row()).status, creates()]).toEqual(['deprovisioned', 0])
  })
})

test('P12 the address of a droplet that is gone leads nowhere: keys travel only through the tunnel of their own toolbox', async () => {
  const a = await dropletScene(store)
  await a.run(8_000)
  const { json } = await a.enrol(a.tokenInside())
  const b = await dropletScene(store)
  await b.run(8_000)
  await b.change({ publicIpAddress: (await a.row()).publicIpAddress })
  // Whoever holds A's address now has no way to be A: not with B's token, not with B's credentials.
  expect((await a.uplink.enrol(newKey()(a.id, b.tokenInside()))).status).toBe(401)
  const beat = await b.uplink.beat(json.dtmaBearerToken, beatOf('r', 1))
  expect(beat.status).toBe(200)
  expect([(await a.row()).status, (await b.row()).status]).toEqual(['active', 'awaiting_heartbeat'])
})

test('what happened is on record, without a token', async () => {
  const { id, run, change, tokenInside } = await dropletScene(store)
  await run(8_000)
  const token = tokenInside()
  await change({ desired: 'absent' })
  await run(MINUTE)
  const told = await store.system((tx) =>
    tx.select().from(activities).where(eq(activities.toolboxId, id)).orderBy(activities.at),
  )
  expect(told.map(({ action }) => action)).toEqual(['toolbox.droplet', 'toolbox.deprovisioned'])
  const everything = JSON.stringify([
    told,
    await store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.id, id))),
  ])
  expect(everything).not.toContain(token)
})
