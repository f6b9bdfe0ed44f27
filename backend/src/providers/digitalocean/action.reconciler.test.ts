import type { NewDropletAction } from '@agentopia/api'
import type { Emulator } from '@agentopia/testbed/emulator'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { activities } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import { beatOf } from '../../uplink/uplink.testing.ts'
import { dropletScene } from './droplet.testing.ts'

// What people ask of a droplet, carried out at an emulated DigitalOcean that misbehaves as the real one was seen to.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const MINUTE = 60_000
const ACTIONS = /\/actions$/

async function scene() {
  const made = await dropletScene(store)
  const { bearer, droplet, dropletId } = await made.upAndActive()
  const { emulator } = made
  return {
    ...made,
    bearer,
    droplet,
    dropletId,
    posts: () => emulator.world.calls.filter((call) => call === `POST /v2/droplets/${dropletId}/actions`).length,
    done: () => emulator.world.actions.map(({ type }) => type),
    history: async () =>
      (await store.system((tx) => tx.select().from(activities).where(eq(activities.toolboxId, made.id))))
        .filter(({ action }) => action.startsWith('droplet.') || action.startsWith('toolbox.'))
        .map(({ actor, message }) => `${actor}: ${message}`),
    async finished(request: NewDropletAction, ms = 10 * MINUTE) {
      const actionId = await made.ask(request)
      await made.runAction(actionId, ms)
      return made.action(actionId)
    },
  }
}

test.each(['reboot', 'power_cycle'] as const)(
  '%s is asked for once, waited for, and on record with who asked',
  async (kind) => {
    const { finished, done, history } = await scene()
    expect(await finished({ kind })).toMatchObject({ state: 'done', endedAt: expect.any(Date) })
    expect(done()).toEqual([kind])
    expect((await history()).at(-1)).toMatch(/^ann: .*(reboot|power cycle): done in \d+ s$/)
  },
)

test('power off goes in order; what it costs all the same is told; power on brings it back', async () => {
  const { finished, done, row, droplet, uplink, bearer } = await scene()
  expect((await finished({ kind: 'power_off' })).state).toBe('done')
  expect([droplet.off, done()]).toEqual([true, ['shutdown']])
  expect(await row()).toMatchObject({
    status: 'unresponsive',
    statusReason: expect.stringContaining('$6 a month all the same'),
  })
  expect((await finished({ kind: 'power_on' })).state).toBe('done')
  expect([droplet.off, done()]).toEqual([false, ['shutdown', 'power_on']])
  await uplink.beat(bearer, beatOf('second', 1))
  expect(await row()).toMatchObject({ status: 'active', statusReason: null })
})

test('what is so already is done without a call that changes anything', async () => {
  const { finished, posts } = await scene()
  expect((await finished({ kind: 'power_on' })).state).toBe('done')
  expect(posts()).toBe(0)
})

test('a droplet that does not shut down is switched off by force after two minutes', async () => {
  const { finished, droplet, emulator } = await scene()
  emulator.knobs.failingActions = 1
  expect((await finished({ kind: 'power_off' })).state).toBe('done')
  expect([droplet.off, emulator.world.actions.map(({ type }) => type)]).toEqual([true, ['shutdown', 'power_off']])
})

describe('a resize', () => {
  test('switches off, resizes, switches on, and the new price is on the toolbox', async () => {
    const { finished, row, droplet, done, uplink, bearer, history } = await scene()
    const resized = await finished({ kind: 'resize', size: 's-1vcpu-2gb' })
    expect(resized).toMatchObject({ state: 'done', message: 'It costs $12 a month now' })
    expect([droplet.size, droplet.off, done()]).toEqual(['s-1vcpu-2gb', false, ['shutdown', 'resize', 'power_on']])
    expect(await row()).toMatchObject({ status: 'unresponsive', placement: { size: 's-1vcpu-2gb', monthlyUsd: 12 } })
    await uplink.beat(bearer, beatOf('second', 1))
    expect((await row()).status).toBe('active')
    expect((await history()).at(-2)).toContain('resize to s-1vcpu-2gb: done')
  })

  test('is shown while it goes on', async () => {
    const { ask, actOn, row } = await scene()
    await actOn(await ask({ kind: 'resize', size: 's-1vcpu-2gb' }))
    expect(await row()).toMatchObject({ status: 'resizing', statusReason: expect.stringContaining('s-1vcpu-2gb') })
  })

  test('of a droplet that is off leaves it off', async () => {
    const { finished, droplet, done } = await scene()
    droplet.off = true
    expect((await finished({ kind: 'resize', size: 's-1vcpu-2gb' })).state).toBe('done')
    expect([droplet.off, done()]).toEqual([true, ['resize']])
  })

  test.each([
    ['is refused', (e: Emulator) => e.fail({ method: 'POST', path: ACTIONS, answer: 422, message: 'no capacity' })],
    ['is tried, and fails', (e: Emulator) => Object.assign(e.knobs, { failingActions: 1 })],
  ] as const)('that %s leaves no droplet switched off', async (_, goWrong) => {
    const { ask, runAction, action, actOn, droplet, emulator, clock, row } = await scene()
    const id = await ask({ kind: 'resize', size: 's-1vcpu-2gb' })
    while (!droplet.off) {
      await actOn(id)
      await clock.advance(2_000)
    }
    await actOn(id) // sees that it is off
    goWrong(emulator)
    await runAction(id, 10 * MINUTE)
    expect(await action(id)).toMatchObject({ state: 'failed', message: expect.stringMatching(/no capacity|failed/) })
    expect([droplet.off, droplet.size]).toEqual([false, 's-1vcpu-1gb'])
    expect(await row()).toMatchObject({ status: 'unresponsive', placement: { size: 's-1vcpu-1gb' } })
  })
})

describe('an answer that was lost', () => {
  test.each([
    ['the connection is cut', 'drop'],
    ['a gateway answers 502', 502],
  ] as const)('%s after it was done: it is found, and not done again', async (_, answer) => {
    const { finished, emulator, done } = await scene()
    emulator.fail({ method: 'POST', path: ACTIONS, answer, afterEffect: true })
    expect((await finished({ kind: 'reboot' })).state).toBe('done')
    expect(done()).toEqual(['reboot'])
  })

  test('also when the list of actions lags', async () => {
    const { finished, emulator, done } = await scene()
    emulator.knobs.listLagMs = 50_000
    emulator.fail({ method: 'POST', path: ACTIONS, answer: 'drop', afterEffect: true })
    expect((await finished({ kind: 'snapshot', name: 'before' })).state).toBe('done')
    expect([done(), emulator.world.snapshots.size]).toEqual([['snapshot'], 1])
  })

  test('when nothing was done, it is asked for once more after a minute; then people are told', async () => {
    const { finished, emulator, posts } = await scene()
    emulator.fail({ method: 'POST', path: ACTIONS, answer: 'drop', times: 9 })
    expect(await finished({ kind: 'power_cycle' }, 30 * MINUTE)).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('2 times'),
    })
    expect(posts()).toBe(2)
  })

  test('an earlier reboot is not taken for this one', async () => {
    const { finished, emulator, done } = await scene()
    await finished({ kind: 'reboot' })
    emulator.fail({ method: 'POST', path: ACTIONS, answer: 'drop' })
    expect((await finished({ kind: 'reboot' })).state).toBe('done')
    expect(done()).toEqual(['reboot', 'reboot'])
  })

  test('a control plane that dies after the request finds it again', async () => {
    const { ask, actOn, runAction, action, emulator, done } = await scene()
    const id = await ask({ kind: 'reboot' })
    emulator.fail({ method: 'POST', path: ACTIONS, answer: 'drop', afterEffect: true })
    await actOn(id) // its answer is never recorded
    await runAction(id, 5 * MINUTE)
    expect([(await action(id)).state, done()]).toEqual(['done', ['reboot']])
  })
})

test('while DigitalOcean does something else with the droplet, it comes after that', async () => {
  const { finished, emulator, done, client, dropletId } = await scene()
  emulator.knobs.actionMs = 40_000
  await client.act(dropletId, { type: 'snapshot', name: 'by-hand' }, AbortSignal.timeout(5_000))
  expect((await finished({ kind: 'reboot' })).state).toBe('done')
  expect(done()).toEqual(['snapshot', 'reboot'])
})

test('a second one waits for nobody: it is refused while the first is at work, and may come after it', async () => {
  const { ask, runAction } = await scene()
  const first = await ask({ kind: 'reboot' })
  await expect(ask({ kind: 'power_off' })).rejects.toMatchObject({
    code: 'droplet-busy',
    message: expect.stringContaining('ann asked for: reboot'),
  })
  await runAction(first, MINUTE)
  await ask({ kind: 'power_off' })
})

test('a droplet that is gone, or that goes, ends it', async () => {
  const one = await scene()
  one.emulator.world.droplets.delete(one.dropletId)
  expect((await one.finished({ kind: 'reboot' })).message).toContain('does not exist any more')
  const other = await scene()
  await other.change({ desired: 'absent' })
  expect((await other.finished({ kind: 'reboot' })).message).toContain('being removed')
})

test('what takes too long is given up, and told', async () => {
  const { finished, emulator } = await scene()
  emulator.knobs.actionMs = 20 * MINUTE
  expect(await finished({ kind: 'reboot' }, 30 * MINUTE)).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('10 minutes'),
  })
})

describe('a reserved address', () => {
  test('is reserved once, shown, and given back', async () => {
    const { finished, row, emulator } = await scene()
    emulator.fail({ method: 'POST', path: /reserved_ips$/, answer: 'drop', afterEffect: true })
    expect((await finished({ kind: 'assign_reserved_ip' })).state).toBe('done')
    const [ip] = [...emulator.world.reservedIps.keys()]
    expect([(await row()).reservedIpAddress, emulator.world.reservedIps.size]).toEqual([ip, 1])
    expect((await finished({ kind: 'assign_reserved_ip' })).state).toBe('done')
    expect(emulator.world.reservedIps.size).toBe(1)
    emulator.fail({ method: 'DELETE', path: /reserved_ips/, answer: 502 })
    const id = await finished({ kind: 'release_reserved_ip' })
    expect([id.state, emulator.world.reservedIps.size, (await row()).reservedIpAddress]).toEqual(['done', 0, null])
  })

  test('goes with its droplet, also when its answer was lost', async () => {
    const { ask, actOn, emulator, change, run, row } = await scene()
    emulator.fail({ method: 'POST', path: /reserved_ips$/, answer: 'drop', afterEffect: true })
    await actOn(await ask({ kind: 'assign_reserved_ip' }))
    expect([(await row()).reservedIpAddress, emulator.world.reservedIps.size]).toEqual([null, 1])
    await change({ desired: 'absent' })
    await run(5 * MINUTE)
    expect([(await row()).status, emulator.world.droplets.size, emulator.world.reservedIps.size]).toEqual([
      'deprovisioned',
      0,
      0,
    ])
  })
})
