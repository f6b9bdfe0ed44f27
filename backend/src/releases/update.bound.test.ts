import { problem } from '@agentopia/api'
import type { Client, UpdateState } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { activities, toolboxes } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { whyBusy } from '../toolboxes/busy.decision.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { openUplink } from '../uplink/uplink.testing.ts'
import { membersOf, type RolloutRow } from './rollout.members.ts'
import { updateReconciler } from './update.reconciler.ts'
import { isUnderWay, LONGEST_MS } from './update.step.ts'
import { updateOf } from './update.view.ts'

const never = new AbortController().signal
const release = { version: '2.0.0', manifest: 'the manifest', signature: 'its signature' }

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

/** A toolbox that is to be updated, whose DTMA is sent the release or is away. */
async function asked(name: string, { isAway = false } = {}) {
  const uplink = openUplink(store)
  const { id, bearer } = await uplink.joined({ name, provider: 'join' })
  const change = (columns: Partial<ToolboxRow>) =>
    store.system((tx) => tx.update(toolboxes).set(columns).where(eq(toolboxes.id, id)))
  const ask = (attempt: string) =>
    change({ updateAsked: { attempt, version: '2.0.0', askedAt: new Date(uplink.clock.now()).toISOString() } })
  await change({ status: 'active' })
  await ask('first')
  let sent = 0
  const call = async () => {
    sent += 1
  }
  const begin = () =>
    updateReconciler({
      store,
      clock: uplink.clock,
      releases: { signed: async () => release },
      clientOf: () => {
        if (isAway) throw problem('toolbox-unreachable', 'it is away')
        return { call } as unknown as Client
      },
    })
  let reconciler = begin()
  let seq = 0
  return {
    ...uplink,
    id,
    ask,
    row: () => uplink.row(id),
    sent: () => sent,
    step: () => reconciler.reconcile(id, never),
    listed: async () => (await reconciler.list(never)).includes(id),
    /** This process ends, and another one goes on. */
    restarted: () => {
      reconciler = begin()
    },
    says: async (phase: UpdateState['phase'], more: Partial<UpdateState> = {}) => {
      seq += 1
      const since = new Date(uplink.clock.now()).toISOString()
      const update = { attempt: 'first', version: '2.0.0', from: '1.0.0', phase, since, ...more }
      const beat = { runId: 'r', seq, dtmaVersion: '1.0.0', apiVersion: 1, docker: { state: 'ok' }, update }
      expect((await uplink.beat(bearer, beat)).status).toBe(200)
    },
    isFree: async () => whyBusy(await uplink.row(id), undefined) === undefined,
    told: async () =>
      (await store.system((tx) => tx.select().from(activities).where(eq(activities.subject, id))))
        .filter(({ action }) => action === 'toolbox.update-given-up')
        .map(({ message }) => message),
  }
}

test('an update that DTMA never ends is given up after its time, which frees the toolbox and tells people what was last heard', async () => {
  const box = await asked('stuck')
  await box.step()
  await box.says('loading', { percent: 40 })
  const heardAt = new Date(box.clock.now()).toISOString()
  expect(await box.step()).toEqual({ done: false, retryAfterMs: LONGEST_MS })
  await box.clock.advance(LONGEST_MS - 1)
  await box.step()
  expect([await box.isFree(), await box.listed(), updateOf(await box.row())?.phase]).toEqual([false, true, 'loading'])

  await box.clock.advance(1)
  expect(await box.step()).toEqual({ done: true })
  const message = `DTMA has not said within 60 minutes how it ended. It was last heard at ${heardAt}, and said: loading (40 %) since ${heardAt} by its own clock`
  expect(updateOf(await box.row())).toMatchObject({ phase: 'unanswered', reason: 'no_answer', from: '1.0.0', message })
  expect([await box.isFree(), await box.listed()]).toEqual([true, false])
  expect(await box.told()).toEqual([`The update of DTMA of stuck was given up. ${message}`])
})

test('one that reports for ever that it goes on is bounded as well, and once given up holds up nothing again', async () => {
  const box = await asked('trickling')
  await box.step()
  for (let percent = 0; percent < 60; percent += 1) {
    await box.says('loading', { percent })
    await box.step()
    await box.clock.advance(LONGEST_MS / 60)
  }
  await box.step()
  expect([await box.isFree(), (await box.told()).length]).toEqual([true, 1])
  await box.says('loading', { percent: 61 })
  expect([await box.isFree(), await box.listed(), await box.step()]).toEqual([true, false, { done: true }])
  expect(updateOf(await box.row())).toMatchObject({ phase: 'loading', percent: 61 })
})

test('a toolbox that stays away is not sent the release for ever', async () => {
  const box = await asked('away', { isAway: true })
  await box.step()
  await box.clock.advance(LONGEST_MS)
  await box.step()
  expect(updateOf(await box.row())).toMatchObject({
    phase: 'unanswered',
    message: 'DTMA has not taken it up within 60 minutes. It was never heard',
  })
  expect([await box.isFree(), await box.listed(), (await box.told()).length]).toEqual([true, false, 1])
})

test.each(['done', 'fell_back'] as const)('what DTMA says late is understood: %s', async (phase) => {
  const box = await asked(`late-${phase.replace('_', '-')}`)
  await box.step()
  await box.says('switching')
  await box.step()
  await box.clock.advance(LONGEST_MS)
  await box.step()
  const rollout = { id: 'rollout_1', versions: {}, forgiven: [] } as unknown as RolloutRow
  const standing = async () => {
    const row = await box.row()
    const member = { ...row, updateAsked: { ...row.updateAsked!, rollout: rollout.id } }
    return membersOf(rollout, [member], box.clock.now()).members[0]
  }
  expect(await standing()).toMatchObject({ standing: 'unwell', reason: expect.stringContaining('has not said') })

  await box.says(phase)
  expect(updateOf(await box.row())?.phase).toBe(phase)
  expect((await standing())?.standing).toBe(phase === 'done' ? 'updated' : 'unwell')
  expect([await box.isFree(), await box.step(), (await box.told()).length]).toEqual([true, { done: true }, 1])
})

test('after one that was given up another may be asked for, and has the whole time', async () => {
  const box = await asked('again')
  await box.step()
  await box.says('loading')
  await box.step()
  await box.clock.advance(LONGEST_MS)
  await box.step()
  await box.ask('second')
  expect(isUnderWay(await box.row())).toBe(true)
  await box.step()
  await box.clock.advance(LONGEST_MS)
  await box.step()
  expect(updateOf(await box.row())).toMatchObject({ phase: 'unanswered' })
  // What DTMA said of the first, which it never ended, does not hold up anything again.
  expect([await box.isFree(), await box.listed(), box.sent()]).toEqual([true, false, 2])
})

test('time during which this control plane was away is no time that DTMA has had', async () => {
  const box = await asked('downtime')
  await box.step()
  await box.clock.advance(LONGEST_MS)
  box.restarted()
  await box.step()
  expect([await box.isFree(), box.sent()]).toEqual([false, 2])
})

test('two replicas give it up once', async () => {
  const box = await asked('twice')
  await box.step()
  await box.clock.advance(LONGEST_MS)
  await Promise.all([box.step(), box.step()])
  expect((await box.told()).length).toBe(1)
})
