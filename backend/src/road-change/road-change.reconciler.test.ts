import type { RoadChange } from '@agentopia/api'
import { DTMA_PROBLEMS, ProblemError } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { activities, toolboxes } from '../store/schema/index.ts'
import type { RoadAsked } from '../store/schema/toolboxes.ts'
import { openTestStore } from '../store/testing.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { openUplink } from '../uplink/uplink.testing.ts'
import { fakeRoads } from './fake-roads.testing.ts'
import { roadChangeReconciler } from './road-change.reconciler.ts'
import { LAST_CALLS_MS, roadChangeOf, TRIAL_MS } from './road-change.step.ts'

const ADDRESS = '203.0.113.7'
const DIRECT = { road: 'direct', address: ADDRESS } as const
const never = new AbortController().signal

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

/** An active toolbox, and a DTMA whose roads lead somewhere or not. */
async function active(name: string, over: Partial<ToolboxRow> = {}) {
  const uplink = openUplink(store)
  const { id } = await uplink.joined({ name, provider: 'join' })
  const change = (columns: Partial<ToolboxRow>) =>
    store.system((tx) => tx.update(toolboxes).set(columns).where(eq(toolboxes.id, id)))
  await change({ status: 'active', ...over })
  const fake = fakeRoads(over.direct ? 'direct' : 'tunnel')
  const begin = () =>
    roadChangeReconciler({ store, clock: uplink.clock, random: () => 1, ...fake, doorOf: () => undefined })
  let reconciler = begin()
  let asks = 0
  const shown = async () => roadChangeOf(await uplink.row(id))
  return {
    ...fake,
    ...uplink,
    id,
    shown,
    ask: ({ road, ...place }: Pick<RoadAsked, 'road' | 'address'>) => {
      asks += 1
      const askedAt = new Date(uplink.clock.now()).toISOString()
      return change({ roadAsked: { attempt: `attempt ${asks}`, road, ...place, actor: 'ann', askedAt } })
    },
    /** This process is killed, and another one goes on. */
    killed: () => {
      reconciler = begin()
    },
    step: () => reconciler.reconcile(id, never),
    /** Step after step, as long as each says. @returns how it ended. */
    async run(): Promise<RoadChange> {
      for (let steps = 0; steps < 200; steps += 1) {
        const outcome = await reconciler.reconcile(id, never)
        if (outcome.done) return (await shown())!
        await uplink.clock.advance(Math.max(outcome.retryAfterMs, 1))
      }
      throw new Error('it does not come to an end')
    },
    /** Step after step, until it is so far. @returns how long that took, in milliseconds. */
    async until(phase: RoadChange['phase']): Promise<number> {
      const begun = uplink.clock.steady()
      for (let steps = 0; steps < 200; steps += 1) {
        if ((await shown())?.phase === phase) return uplink.clock.steady() - begun
        const outcome = await reconciler.reconcile(id, never)
        await uplink.clock.advance(outcome.done ? 1 : Math.max(outcome.retryAfterMs, 1))
      }
      throw new Error(`it does not come to ${phase}`)
    },
    listed: async () => (await reconciler.list(never)).includes(id),
    recorded: async () =>
      (await store.system((tx) => tx.select().from(activities).where(eq(activities.subject, id)))).map(
        ({ action, actor, message }) => ({ action, actor, message }),
      ),
  }
}

test('to the direct road: both are opened, it is used when DTMA has answered there, and the tunnel is closed last', async () => {
  const box = await active('to-direct')
  await box.ask(DIRECT)
  expect([await box.shown(), await box.listed()]).toEqual([
    expect.objectContaining({ to: 'direct', phase: 'asked' }),
    true,
  ])
  await box.step()
  // In use, and nothing is closed yet.
  expect(await box.row(box.id)).toMatchObject({ direct: { address: ADDRESS, port: 30_000, plainHttp: false } })
  expect([(await box.shown())?.phase, box.told]).toEqual(['closing', ['both by tunnel']])
  expect((await box.run()).phase).toBe('done')
  expect(box.told).toEqual(['both by tunnel', 'direct by direct'])
  expect(await box.listed()).toBe(false)
  const recorded = await box.recorded()
  expect(recorded).toContainEqual({
    action: 'toolbox.road-changed',
    actor: 'control plane',
    message: 'to-direct is reached by the direct road now, asked for by ann',
  })
})

test('to the tunnel: it is used when DTMA has answered in it, and what was dialled is closed last', async () => {
  const direct = { address: ADDRESS, port: 30_000, plainHttp: false }
  const box = await active('to-tunnel', { direct })
  await box.ask({ road: 'tunnel' })
  expect((await box.run()).phase).toBe('done')
  expect(box.told).toEqual(['both by direct', 'tunnel by tunnel'])
  expect([(await box.row(box.id)).direct, box.closed]).toEqual([null, [box.id]])
})

test('a port that nobody opens: the tunnel stays, and it is said where it was tried and what to do', async () => {
  const box = await active('shut')
  box.dtma.fault = 'no_connection'
  await box.ask(DIRECT)
  await box.step()
  expect((await box.shown())?.phase).toBe('trying')
  const begun = box.clock.now()
  expect(await box.run()).toMatchObject({
    phase: 'failed',
    reason: 'no_connection',
    evidence: [`direct road to ${ADDRESS}, port 30000`, expect.stringContaining('ended as no_connection')],
    nextStep: expect.stringContaining('Open port 30000'),
  })
  expect(box.clock.now() - begun).toBeLessThan(TRIAL_MS + 5_000)
  expect([(await box.row(box.id)).direct, box.dtma.road, box.told.at(-1)]).toEqual([null, 'tunnel', 'tunnel by tunnel'])
  expect(await box.recorded()).toContainEqual(
    expect.objectContaining({ action: 'toolbox.road-kept', message: expect.stringContaining('Nothing comes back') }),
  )
})

test('N03 somebody else at the address is found out at once, and is not asked again', async () => {
  const box = await active('another')
  box.dtma.fault = 'pin_mismatch'
  await box.ask(DIRECT)
  const begun = box.clock.now()
  expect(await box.run()).toMatchObject({ phase: 'failed', reason: 'pin_mismatch' })
  expect(box.clock.now() - begun).toBeLessThan(5_000)
})

test('a tunnel that does not come up leaves the direct road', async () => {
  const box = await active('no-tunnel', { direct: { address: ADDRESS, port: 30_000, plainHttp: false } })
  box.dtma.noTunnel = true
  await box.ask({ road: 'tunnel' })
  expect(await box.run()).toMatchObject({ phase: 'failed', nextStep: expect.stringContaining('WebSockets') })
  expect([(await box.row(box.id)).direct?.address, box.dtma.road, box.closed]).toEqual([ADDRESS, 'direct', []])
})

test('somebody has set DTMA_ROAD=tunnel on its machine: the tunnel is used, though nobody could be told by the direct road', async () => {
  const box = await active('configured', { direct: { address: ADDRESS, port: 30_000, plainHttp: false } })
  box.dtma.road = 'tunnel'
  await box.ask({ road: 'tunnel' })
  expect((await box.run()).phase).toBe('done')
  expect(box.told).toEqual(['tunnel by tunnel'])
})

test('it answers as another toolbox: nothing of it is used', async () => {
  const box = await active('mistaken')
  box.dtma.toolboxId = 'toolbox_0000000000000000'
  await box.ask(DIRECT)
  expect(await box.run()).toMatchObject({ phase: 'failed', reason: 'identity_mismatch' })
})

test('killed after any step, whoever goes on comes to the same end', async () => {
  for (let kill = 0; kill < 5; kill += 1) {
    const box = await active(`killed-${kill}`)
    await box.ask(DIRECT)
    for (let steps = 0; steps < kill; steps += 1) await box.step()
    box.killed()
    expect((await box.run()).phase).toBe('done')
    expect([box.dtma.road, (await box.row(box.id)).direct?.address]).toEqual(['direct', ADDRESS])
  }
})

test('killed while it is tried, and away for longer than a trial lasts: it is tried for as long again', async () => {
  const box = await active('away')
  box.dtma.fault = 'no_connection'
  await box.ask(DIRECT)
  await box.step()
  box.killed()
  await box.clock.advance(TRIAL_MS * 10)
  expect((await box.step()).done).toBe(false)
  expect((await box.shown())?.phase).toBe('trying')
  box.dtma.fault = undefined
  expect((await box.run()).phase).toBe('done')
})

test('somebody sets the clock while it is tried: that is no time that has passed', async () => {
  const box = await active('clock-set')
  box.dtma.fault = 'no_connection'
  await box.ask(DIRECT)
  await box.step()
  box.clock.set(TRIAL_MS * 10)
  await box.step()
  expect((await box.shown())?.phase).toBe('trying')
  box.clock.set(-TRIAL_MS * 20)
  expect(await box.until('undoing')).toBeLessThan(TRIAL_MS + 5_000)
})

test('each attempt has its whole time, whatever became of the one before', async () => {
  const box = await active('anew')
  box.dtma.fault = 'no_connection'
  await box.ask(DIRECT)
  await box.step()
  await box.clock.advance(TRIAL_MS - 1)
  await box.ask(DIRECT)
  await box.step()
  await box.clock.advance(TRIAL_MS - 1)
  await box.step()
  expect((await box.shown())?.phase).toBe('trying')
})

test('an answer that is lost: what DTMA did is found by the trial', async () => {
  const box = await active('lost-answer')
  box.dtma.losesAnswers = true
  await box.ask(DIRECT)
  await box.step()
  expect((await box.row(box.id)).direct).not.toBeNull()
  box.dtma.losesAnswers = false
  expect((await box.run()).phase).toBe('done')
})

test('two replicas at it: it is changed once, and recorded once', async () => {
  const box = await active('replicas')
  await box.ask(DIRECT)
  await Promise.all([box.step(), box.step()])
  await Promise.all([box.step(), box.step()])
  expect((await box.run()).phase).toBe('done')
  expect((await box.recorded()).filter(({ action }) => action === 'toolbox.road-changed')).toHaveLength(1)
})

test('calls on the road before are waited for, and not for ever', async () => {
  const box = await active('calls')
  await box.ask(DIRECT)
  await box.step()
  box.busy.tunnel = 1
  expect(await box.step()).toMatchObject({ done: false })
  expect([box.dtma.road, (await box.shown())?.phase]).toEqual(['both', 'closing'])
  const begun = box.clock.now()
  expect((await box.run()).phase).toBe('done')
  expect(box.clock.now() - begun).toBeGreaterThanOrEqual(LAST_CALLS_MS - 1_000)
})

test('a new road that is lost before the one before is closed is given up: that one is open still', async () => {
  const box = await active('lost-again')
  await box.ask(DIRECT)
  await box.step()
  box.dtma.fault = 'no_connection'
  expect(await box.run()).toMatchObject({ phase: 'failed', reason: 'lost_again' })
  expect([(await box.row(box.id)).direct, box.dtma.road]).toEqual([null, 'tunnel'])
})

test('one that cannot be undone yet gives way to another, which makes good what is left of it', async () => {
  const box = await active('cut-off', { direct: { address: ADDRESS, port: 30_000, plainHttp: false } })
  box.dtma.noTunnel = true
  await box.ask({ road: 'tunnel' })
  await box.step()
  box.dtma.fault = 'no_connection' // the road in use is lost as well: nobody can be told
  for (let steps = 0; steps < 40; steps += 1) {
    const outcome = await box.step()
    await box.clock.advance(outcome.done ? 1 : Math.max(outcome.retryAfterMs, 1))
  }
  expect([(await box.shown())?.phase, box.dtma.road]).toEqual(['undoing', 'both'])
  expect((await box.shown())?.evidence).toContainEqual(expect.stringMatching(/^DTMA could not be told to close it: /))
  box.dtma.noTunnel = false
  await box.ask({ road: 'tunnel' })
  expect((await box.run()).phase).toBe('done')
  expect([(await box.row(box.id)).direct, box.dtma.road]).toEqual([null, 'tunnel'])
})

test('an answer that cannot be read counts as none: the trial ends in its time, and says what came', async () => {
  const box = await active('unreadable')
  box.dtma.refuses = new SyntaxError('Unexpected token <')
  await box.ask(DIRECT)
  expect(await box.until('undoing')).toBeLessThan(TRIAL_MS + 5_000)
  expect((await box.shown())?.evidence).toContainEqual(expect.stringMatching(/cannot be read.*Unexpected token </))
  box.dtma.refuses = undefined
  expect((await box.run()).phase).toBe('failed')
})

test.each<[string, Error]>([
  ['a problem', new ProblemError('road-not-possible', DTMA_PROBLEMS['road-not-possible'], 'its port is gone')],
  ['what cannot be read', new SyntaxError('Unexpected token <')],
])(
  'the one before cannot be closed, for DTMA answers %s: after its time the change is given up',
  async (what, refusal) => {
    const box = await active(`unclosed-${what.length}`)
    await box.ask(DIRECT)
    await box.step()
    box.dtma.refuses = refusal
    expect(await box.until('undoing')).toBeLessThan(LAST_CALLS_MS + TRIAL_MS + 10_000)
    expect((await box.row(box.id)).direct).toBeNull()
    box.dtma.refuses = undefined
    expect(await box.run()).toMatchObject({
      phase: 'failed',
      reason: 'lost_again',
      evidence: [expect.stringContaining(refusal.message)],
    })
  },
)

test('a DTMA that is too old says so, and keeps its road', async () => {
  const box = await active('old')
  box.dtma.refuses = new ProblemError('not-found', DTMA_PROBLEMS['not-found'], 'PUT /road is no route of DTMA')
  await box.ask(DIRECT)
  expect(await box.run()).toMatchObject({
    phase: 'failed',
    reason: 'unsupported-version',
    nextStep: 'Update DTMA on the toolbox first.',
  })
})

test('the key of the enrolment stays the pin; where there is none, it is learned over the tunnel, and never from whoever is dialled', async () => {
  const known = await active('pinned')
  const { publicKey } = await known.row(known.id)
  await known.ask(DIRECT)
  await known.run()
  expect((await known.row(known.id)).publicKey).toBe(publicKey)

  const unknown = await active('unpinned', { publicKey: null })
  await unknown.ask(DIRECT)
  expect((await unknown.run()).phase).toBe('done')
  expect((await unknown.row(unknown.id)).publicKey).toBe('its own key')

  const unheard = await active('unheard', { publicKey: null })
  unheard.dtma.noTunnel = true
  unheard.dtma.road = 'both'
  await unheard.ask(DIRECT)
  await unheard.step()
  expect(await unheard.row(unheard.id)).toMatchObject({ publicKey: null, direct: null })
})

test('whoever is dialled on the machine of the control plane opens nothing to others', async () => {
  const box = await active('same-machine')
  await box.ask({ road: 'direct', address: '127.0.0.1' })
  expect((await box.run()).phase).toBe('done')
  expect(box.told).toEqual(['both by tunnel, on the machine', 'direct by direct, on the machine'])
})

test('a name that only begins like an address of this machine is another machine', async () => {
  const box = await active('another-machine')
  await box.ask({ road: 'direct', address: '127.example.com' })
  expect((await box.run()).phase).toBe('done')
  expect(box.told).toEqual(['both by tunnel', 'direct by direct'])
})
