import { and, eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeRoads } from '../../road-change/fake-roads.testing.ts'
import { roadChangeReconciler } from '../../road-change/road-change.reconciler.ts'
import { roadChangeOf } from '../../road-change/road-change.step.ts'
import type { Store } from '../../store/connect.ts'
import { activities } from '../../store/schema/index.ts'
import { openTestStore } from '../../store/testing.ts'
import type { ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import { createDropletDoor } from './droplet.door.ts'
import { dropletScene } from './droplet.testing.ts'

const ENVIRONMENT = 'abcdef012345'
const TAG = `agentopia-env-${ENVIRONMENT}-direct`
const never = new AbortController().signal

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

interface Rule {
  readonly ports: string
  readonly sources: { readonly addresses: readonly string[] }
}

/** A droplet that is active, its firewall, and a DTMA on it. */
async function scene(direct: { port: number; plainHttp: boolean } | null) {
  const droplet = await dropletScene(store, { direct })
  await droplet.upAndActive()
  const fake = fakeRoads(direct ? 'direct' : 'tunnel')
  const { client, sources, clock, emulator, droplets, row, change, id } = droplet
  const account = { hasToken: true }
  const real = createDropletDoor({
    clientOf: async () => (account.hasToken ? client : undefined),
    environment: ENVIRONMENT,
    directSources: () => sources,
  })
  /** When DigitalOcean was asked to shut it. */
  const shutAt: number[] = []
  const door: typeof real = {
    ...real,
    close: (...of) => {
      shutAt.push(clock.steady())
      return real.close(...of)
    },
  }
  /** To whom DTMA's port on this droplet is open. */
  const openTo = () =>
    [...emulator.world.firewalls.values()]
      .filter(({ tags }) => tags.some((tag) => droplets()[0]!.tags.includes(tag)))
      .flatMap(({ inbound_rules: rules }) => rules as readonly Rule[])
      .map(({ ports, sources: { addresses } }) => [ports, addresses])
  /** Whether its port was open when DTMA was told, each time. */
  const openWhenTold: boolean[] = []
  const clientOf = (toolbox: ToolboxRow) => {
    openWhenTold.push(openTo().length > 0)
    return fake.clientOf(toolbox)
  }
  const make = () => roadChangeReconciler({ store, clock, random: () => 1, ...fake, clientOf, doorOf: () => door })
  return {
    ...fake,
    clock,
    make,
    shutAt,
    openWhenTold,
    row,
    account,
    emulator,
    openTo,
    ask: (road: 'tunnel' | 'direct') =>
      change({
        roadAsked: { attempt: road, road, ...(road === 'direct' ? { port: 30_000 } : {}), actor: 'ann', askedAt: '' },
      }),
    /** What people read of it. */
    recorded: async (action: string) => {
      const of = and(eq(activities.subject, id), eq(activities.action, action))
      return (await store.system((tx) => tx.select().from(activities).where(of))).map(({ message }) => message).join()
    },
    step: (reconciler = make()) => reconciler.reconcile(id, never),
    async run() {
      const reconciler = make()
      for (;;) {
        const outcome = await reconciler.reconcile(id, never)
        if (outcome.done) return (await row()).roadProgress!
        await clock.advance(Math.max(outcome.retryAfterMs, 1))
      }
    },
  }
}
const OPEN = [['30000', ['198.51.100.7']]]
const DIRECT = { port: 30_000, plainHttp: false }

test('its port is opened to the control plane alone before it is dialled, and stays open', async () => {
  const { ask, run, openTo, row, told } = await scene(null)
  expect(openTo()).toEqual([])
  await ask('direct')
  expect((await run()).phase).toBe('done')
  expect([openTo(), (await row()).direct, told.at(-1)]).toEqual([OPEN, DIRECT, 'direct by direct'])
})

test('it is shut again after a trial that failed', async () => {
  const { ask, step, run, openTo, dtma } = await scene(null)
  dtma.fault = 'no_connection'
  await ask('direct')
  await step()
  expect(openTo()).toEqual(OPEN)
  expect((await run()).phase).toBe('failed')
  expect(openTo()).toEqual([])
})

test('after a trial that failed DTMA closes its port first, and the firewall is shut then', async () => {
  const { ask, run, openTo, dtma, openWhenTold } = await scene(null)
  dtma.fault = 'pin_mismatch'
  await ask('direct')
  expect((await run()).phase).toBe('failed')
  expect([openWhenTold.at(-1), openTo()]).toEqual([true, []])
})

test('it is shut after a trial that failed also while DTMA cannot be told', async () => {
  const { ask, step, openTo, dtma, row } = await scene(null)
  dtma.fault = 'pin_mismatch'
  await ask('direct')
  await step()
  dtma.noTunnel = true
  await step()
  expect([(await row()).roadProgress?.phase, openTo()]).toEqual(['undoing', []])
})

test('while DTMA cannot be told DigitalOcean is asked at once, some times in the first minutes, and later a few times an hour', async () => {
  const { ask, step, make, shutAt, clock, dtma, run, row } = await scene(null)
  dtma.fault = 'pin_mismatch'
  await ask('direct')
  await step()
  dtma.noTunnel = true
  const one = make()
  const begun = clock.steady()
  // Woken each half minute by its life signs as well, and when a step asks for it.
  for (let wakeAt = begun; clock.steady() < begun + 2 * 3_600_000; ) {
    const outcome = await step(one)
    wakeAt += wakeAt <= clock.steady() ? 30_000 : 0
    const next = outcome.done ? wakeAt : Math.min(wakeAt, clock.steady() + outcome.retryAfterMs)
    await clock.advance(next - clock.steady())
  }
  const asked = (fromMs: number, toMs: number) =>
    shutAt.filter((at) => at >= begun + fromMs && at < begun + toMs).length
  expect(shutAt[0]).toBe(begun)
  expect(asked(0, 240_000)).toBe(5) // at 0, 15, 45, 105 and 225 s
  expect(asked(3_600_000, 7_200_000)).toBe(3)
  expect((await row()).roadProgress?.open).toEqual([expect.stringContaining('DTMA could not be told to close it')])

  dtma.noTunnel = false
  expect(await run()).toMatchObject({ phase: 'failed' })
  expect((await row()).roadProgress).not.toHaveProperty('open')
})

test('it is shut after the tunnel is in use, and not before', async () => {
  const { ask, step, run, openTo, told } = await scene(DIRECT)
  expect(openTo()).toEqual(OPEN)
  await ask('tunnel')
  await step()
  expect([openTo(), told]).toEqual([OPEN, ['both by direct']])
  expect((await run()).phase).toBe('done')
  expect(openTo()).toEqual([])
})

test('a tunnel that does not come up leaves it open', async () => {
  const { ask, run, openTo, dtma } = await scene(DIRECT)
  dtma.noTunnel = true
  await ask('tunnel')
  expect((await run()).phase).toBe('failed')
  expect(openTo()).toEqual(OPEN)
})

test('killed after each step, by another process each time: one firewall, one tag, the same end', async () => {
  const { ask, step, run, openTo, emulator } = await scene(null)
  await ask('direct')
  for (let steps = 0; steps < 4; steps += 1) {
    await step()
    await step().catch(() => undefined) // the one that was thought dead is at it too
  }
  expect([(await run()).phase, openTo()]).toEqual(['done', OPEN])
  expect([...emulator.world.firewalls.values()].filter(({ tags }) => tags.includes(TAG))).toHaveLength(1)
})

test('DigitalOcean refuses: the tunnel stays, and what it answered is said', async () => {
  const { ask, run, emulator, row } = await scene(null)
  emulator.fail({ method: 'POST', path: /^\/v2\/tags\/.*resources$/, answer: 403 })
  await ask('direct')
  expect(await run()).toMatchObject({ phase: 'failed', failure: { reason: 'firewall' } })
  expect((await row()).direct).toBeNull()
})

const UNTAG = { method: 'DELETE', path: /^\/v2\/tags\/.*resources$/ }
test.each([401, 403])(
  'the tunnel is in use and DigitalOcean answers %i: it is done, and people hear which port is open still',
  async (answer) => {
    const { ask, run, emulator, row, recorded } = await scene(DIRECT)
    emulator.fail({ ...UNTAG, answer, times: Number.POSITIVE_INFINITY })
    await ask('tunnel')
    expect((await run()).phase).toBe('done')
    expect((await row()).direct).toBeNull()
    expect(await recorded('toolbox.road-changed')).toMatch(
      /Port 30000 is still open in the firewall .*HTTP 40.*Take the tag agentopia-env-abcdef012345-direct/,
    )
  },
)

test('the tunnel is in use and the account has no token any more: it is done, and people hear which port is open still', async () => {
  const { ask, run, account, recorded } = await scene(DIRECT)
  account.hasToken = false
  await ask('tunnel')
  expect((await run()).phase).toBe('done')
  expect(await recorded('toolbox.road-changed')).toMatch(/Port 30000 is still open.*no token of DigitalOcean/)
})

test('DigitalOcean does not answer for a moment: its port is shut all the same', async () => {
  const { ask, run, openTo, emulator, recorded } = await scene(DIRECT)
  emulator.fail({ ...UNTAG, answer: 503, times: 3 })
  await ask('tunnel')
  expect((await run()).phase).toBe('done')
  expect([openTo(), await recorded('toolbox.road-changed')]).toEqual([[], expect.not.stringContaining('still open')])
})

test('DigitalOcean does not answer for longer than it is waited for: it is done, and people hear it', async () => {
  const { ask, run, emulator, recorded } = await scene(DIRECT)
  emulator.fail({ ...UNTAG, answer: 503, times: Number.POSITIVE_INFINITY })
  await ask('tunnel')
  expect((await run()).phase).toBe('done')
  expect(await recorded('toolbox.road-changed')).toContain('is still open')
})

test('DTMA cannot be told and its firewall cannot be shut: people see that while it lasts', async () => {
  const { ask, step, emulator, dtma, row } = await scene(null)
  dtma.fault = 'pin_mismatch'
  emulator.fail({ ...UNTAG, answer: 403, times: Number.POSITIVE_INFINITY })
  await ask('direct')
  await step()
  dtma.noTunnel = true
  await step()
  expect(roadChangeOf(await row())?.evidence).toEqual(
    expect.arrayContaining([
      expect.stringContaining('DTMA could not be told'),
      expect.stringContaining('Port 30000 is still open in the firewall'),
    ]),
  )
})

test('a trial that failed and a firewall that cannot be shut: people hear it', async () => {
  const { ask, run, emulator, dtma, recorded } = await scene(null)
  dtma.fault = 'pin_mismatch'
  emulator.fail({ ...UNTAG, answer: 403, times: Number.POSITIVE_INFINITY })
  await ask('direct')
  expect((await run()).phase).toBe('failed')
  expect([dtma.road, await recorded('toolbox.road-kept')]).toEqual(['tunnel', expect.stringContaining('is still open')])
})
