import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { openTestStore } from '../../store/testing.ts'
import { mayReport } from '../../uplink/boot.store.ts'
import { beatOf } from '../../uplink/uplink.testing.ts'
import { dropletScene } from './droplet.testing.ts'

// A rebuilt droplet finds the token that it was made with, which is spent, and beside it what DigitalOcean shows it now.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const MINUTE = 60_000

/** A rebuild under way: DigitalOcean has begun it. @param ageMs Of the droplet by then. */
async function rebuilding(ageMs = 0) {
  const made = await dropletScene(store)
  const { bearer, droplet } = await made.upAndActive()
  await made.clock.advance(ageMs)
  const born = made.tokenInside()
  const id = await made.ask({ kind: 'rebuild', confirm: 'whatever' })
  await made.actOn(id)
  const tag = () => droplet.tags.find((one) => one.startsWith('agentopia-boot-'))
  return {
    ...made,
    born,
    bearer,
    droplet,
    actionId: id,
    tag,
    shown: () => tag()?.slice('agentopia-boot-'.length) ?? '',
  }
}

const until = async (scene: Awaited<ReturnType<typeof rebuilding>>, status: string) => {
  for (let steps = 0; (await scene.row()).status !== status; steps += 1) {
    if (steps > 50) throw new Error(`it never became ${status}`)
    await scene.actOn(scene.actionId)
    await scene.clock.advance(2_000)
  }
}

test('it enrols with both parts, is active again, and is shown nothing any more', async () => {
  const scene = await rebuilding()
  const { born, shown, tag, enrol, uplink, run, row, runAction, action, actionId, bearer, disconnected, id } = scene
  await until(scene, 'awaiting_heartbeat')
  expect(disconnected).toContain(id)
  expect((await uplink.beat(bearer, beatOf('first', 2))).status).toBe(401) // the old disk's identity is void
  const { status, json } = await enrol(`${born}.${shown()}`)
  expect([status, json.epoch]).toEqual([201, 2])
  await uplink.beat(json.dtmaBearerToken, beatOf('fresh', 1))
  await run(MINUTE)
  expect((await row()).status).toBe('active')
  await runAction(actionId, MINUTE)
  expect([(await action(actionId)).state, tag()]).toEqual(['done', undefined])
})

test('neither part opens anything alone, nor a guessed one, nor a second time', async () => {
  const scene = await rebuilding()
  const { born, shown, enrol } = scene
  const nonce = shown()
  await until(scene, 'awaiting_heartbeat')
  for (const token of [
    born,
    nonce,
    `enrol_${nonce}`,
    `${born}.`,
    `${born}.${'0'.repeat(64)}`,
    `enrol_x.${nonce}`,
    `${nonce}.${born}`,
  ])
    expect((await enrol(token)).json.code, token).toMatch(/enrolment-refused|invalid-request/)
  expect((await enrol(`${born}.${nonce}`)).status).toBe(201)
  expect((await enrol(`${born}.${nonce}`)).json.code).toBe('enrolment-refused') // by another key
})

test('before it is asked for, and once its time is over, both together open nothing', async () => {
  const scene = await rebuilding()
  const { born, shown, enrol, clock } = scene
  const token = `${born}.${shown()}`
  await clock.advance(16 * MINUTE)
  expect((await enrol(token)).json.code).toBe('enrolment-refused')
})

test('its boot is told from the first stage on, with both parts', async () => {
  const { born, shown, id, clock, row } = await rebuilding()
  expect((await row()).boot).toBeNull()
  const now = new Date(clock.now())
  const may = (token: string) => store.system((tx) => mayReport(tx, token, id, now))
  expect([await may(`${born}.${shown()}`), await may(born)]).toEqual([true, false])
})

test('an enrolment that comes before the end of the rebuild is noticed stays', async () => {
  const scene = await rebuilding()
  const { born, shown, enrol, uplink, runAction, action, actionId, row } = scene
  const { json } = await enrol(`${born}.${shown()}`)
  await uplink.beat(json.dtmaBearerToken, beatOf('fresh', 1))
  await runAction(actionId, 5 * MINUTE)
  expect([(await action(actionId)).state, (await row()).status]).toEqual(['done', 'active'])
  expect((await uplink.beat(json.dtmaBearerToken, beatOf('fresh', 2))).status).toBe(200)
})

test('a rebuild that fails leaves the old identity as it was', async () => {
  const made = await dropletScene(store)
  const { bearer } = await made.upAndActive()
  made.emulator.knobs.failingActions = 1
  const id = await made.ask({ kind: 'rebuild', confirm: 'whatever' })
  await made.runAction(id, 5 * MINUTE)
  expect((await made.action(id)).state).toBe('failed')
  expect([(await made.uplink.beat(bearer, beatOf('first', 2))).status, (await made.row()).status]).toEqual([
    200,
    'active',
  ])
  expect(made.droplets()[0]!.tags.filter((tag) => tag.startsWith('agentopia-boot-'))).toEqual([])
})

test.each([
  ['is new again', { bootMs: 10 * MINUTE }],
  ['is active before its address can be read', { addressDelayMs: 10 * MINUTE }],
])('a droplet of long ago that %s after its rebuild is waited for, and not destroyed', async (_, knobs) => {
  const scene = await rebuilding(60 * MINUTE)
  const { emulator, run, row, droplets, born, shown, enrol, uplink } = scene
  const nonce = shown()
  Object.assign(emulator.knobs, knobs)
  await until(scene, 'awaiting_heartbeat')
  await run(5 * MINUTE)
  expect([(await row()).status, droplets().length]).toEqual(['awaiting_heartbeat', 1])
  const { json } = await enrol(`${born}.${nonce}`)
  await uplink.beat(json.dtmaBearerToken, beatOf('fresh', 1))
  expect((await row()).status).toBe('active')
})

test('a droplet that stays new after its rebuild is told after twenty minutes, and is not destroyed', async () => {
  const scene = await rebuilding(60 * MINUTE)
  scene.emulator.knobs.bootMs = 24 * 60 * MINUTE
  await until(scene, 'awaiting_heartbeat')
  await scene.run(21 * MINUTE)
  expect(await scene.row()).toMatchObject({
    status: 'error_provisioning',
    statusReason: expect.stringContaining('DigitalOcean shows it as new'),
  })
  expect(scene.droplets()).toHaveLength(1)
})

test('one that never enrols is told after twenty minutes, and may be made anew', async () => {
  const scene = await rebuilding()
  await until(scene, 'awaiting_heartbeat')
  await scene.run(21 * MINUTE)
  expect(await scene.row()).toMatchObject({ status: 'error_provisioning' })
  await scene.runAction(scene.actionId, MINUTE)
  expect(await scene.action(scene.actionId)).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('did not enrol'),
  })
})
