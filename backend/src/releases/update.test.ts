import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, NOBODY, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { digestOf } from '../secret.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { RoadAsked } from '../store/schema/toolboxes.ts'
import { givingOut } from './release.testing.ts'
import { nextStep, type UpdateFacts } from './update.step.ts'
import { releaseOf, updateOf } from './update.view.ts'

const BEARER = 'dtma_a-bearer-token-of-a-test'
let plane: TestControlPlane
let operator: As
const toolboxId = newId('toolbox')

beforeAll(async () => {
  plane = await openTestControlPlane(undefined, givingOut())
  operator = await signedIn(plane, 'acct_updates', 'operator')
  await plane.store.system((tx) =>
    tx.insert(toolboxes).values({
      id: toolboxId,
      accountId: 'acct_updates',
      name: 'alpha',
      provider: 'join',
      status: 'active',
      dtmaVersion: '0.1.0',
      dtmaBearerToken: digestOf(BEARER),
    }),
  )
})
afterAll(() => plane?.close())

interface Seen {
  readonly code?: string
  readonly release: object
  readonly update: object
}
const read = async (answer: Response) => (await answer.json()) as Seen
const toolbox = async () => read(await plane.request('GET', `/api/toolboxes/${toolboxId}`, operator))
const beat = async (seq: number, more: object) =>
  read(
    await plane.send(
      'POST',
      '/dtma/heartbeat',
      { authorization: `Bearer ${BEARER}` },
      {
        runId: 'run-1',
        seq,
        dtmaVersion: '0.1.0',
        apiVersion: 1,
        docker: { state: 'ok' },
        ...more,
      },
    ),
  )

test('who may not operate may not update', async () => {
  const viewer = await signedIn(plane, 'acct_updates', 'viewer')
  expect((await plane.request('POST', `/api/toolboxes/${toolboxId}/update`, viewer)).status).toBe(403)
  const stranger = await signedIn(plane, 'acct_others', 'owner')
  expect((await plane.request('POST', `/api/toolboxes/${toolboxId}/update`, stranger)).status).toBe(404)
  expect((await plane.request('POST', `/api/toolboxes/${toolboxId}/update`, NOBODY)).status).toBe(401)
})

test.each(['update', 'redeploy'])('while the road is changed nobody may ask for it: %s', async (what) => {
  const askedAt = new Date().toISOString()
  const change = (roadAsked: RoadAsked | null) =>
    plane.store.system((tx) => tx.update(toolboxes).set({ roadAsked }).where(eq(toolboxes.id, toolboxId)))
  await change({ attempt: 'a', road: 'direct', address: 'server.invalid', actor: 'ann', askedAt })
  const answer = await plane.request('POST', `/api/toolboxes/${toolboxId}/${what}`, operator)
  await change(null)
  expect([answer.status, (await read(answer)).code]).toEqual([409, 'toolbox-busy'])
})

test('an update that is asked for is shown from then on, asked twice it is one, and a heartbeat says how far it is', async () => {
  await plane.request('POST', `/api/toolboxes/${toolboxId}/update`, operator)
  expect(await toolbox()).toMatchObject({
    release: { standing: 'outdated', newer: '0.2.0' },
    update: { version: '0.2.0', phase: 'asked' },
  })
  const attempt = async () => {
    const rows = await plane.store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.id, toolboxId)))
    return rows[0]!.updateAsked!.attempt
  }
  const first = await attempt()
  await plane.request('POST', `/api/toolboxes/${toolboxId}/update`, operator)
  expect(await attempt()).toBe(first)

  const since = new Date().toISOString()
  const update = { attempt: first, version: '0.2.0', from: '0.1.0', phase: 'loading', percent: 40, since }
  await beat(1, { update })
  expect(await toolbox()).toMatchObject({ update: { phase: 'loading', percent: 40, from: '0.1.0' } })
  const message = 'The new DTMA ended 3 times'
  await beat(2, { update: { ...update, phase: 'fell_back', reason: 'crash_loop', message } })
  expect(await toolbox()).toMatchObject({ update: { phase: 'fell_back', reason: 'crash_loop', message } })

  // It is over, so asking again is another attempt.
  await plane.request('POST', `/api/toolboxes/${toolboxId}/update`, operator)
  expect(await attempt()).not.toBe(first)
})

test('a DTMA that has the newest version is not asked to update', async () => {
  await beat(3, { dtmaVersion: '0.2.0', update: undefined })
  await plane.store.system((tx) => tx.update(toolboxes).set({ updateAsked: null }).where(eq(toolboxes.id, toolboxId)))
  const answer = await plane.request('POST', `/api/toolboxes/${toolboxId}/update`, operator)
  expect([answer.status, (await read(answer)).code]).toEqual([409, 'nothing-to-update'])
})

test('a DTMA that is too old for the control plane is told so, and its life sign counts all the same', async () => {
  expect(await beat(4, { dtmaVersion: '0.0.9' })).toMatchObject({
    tooOld: { reason: 'version_floor', needed: '0.1.0' },
  })
  expect(await toolbox()).toMatchObject({ status: 'active', release: { standing: 'too_old', newer: '0.2.0' } })
  expect(await beat(5, { dtmaVersion: '0.2.0' })).not.toHaveProperty('tooOld')
})

const asked = { attempt: 'a', version: '2.0.0', askedAt: '2026-01-01T00:00:00.000Z' }
const state = { ...asked, from: '1.0.0', phase: 'proving', since: '2026-01-01T00:00:01.000Z' } as const
const refusal = { attempt: 'a', reason: 'release-untrusted', message: 'No', at: '2026-01-01T00:00:02.000Z' }
const facts = (more: Partial<UpdateFacts>): UpdateFacts => ({
  desired: 'present',
  updateAsked: asked,
  updateState: null,
  updateRefusal: null,
  ...more,
})

test.each<[string, Partial<UpdateFacts>, string]>([
  ['asked for', {}, 'send'],
  ['asked for again after one that is over', { updateState: { ...state, attempt: 'before', phase: 'failed' } }, 'send'],
  ['asked for again after a refusal', { updateRefusal: { ...refusal, attempt: 'before' } }, 'send'],
  ['taken up', { updateState: state }, 'follow'],
  ['over', { updateState: { ...state, phase: 'done' } }, 'settled'],
  ['given up', { updateState: state, updateRefusal: { ...refusal, isGivenUp: true, heard: state } }, 'settled'],
  ['asked for by nobody that is known, and taken up', { updateAsked: null, updateState: state }, 'follow'],
  ['refused', { updateRefusal: refusal }, 'settled'],
  ['of a toolbox that is to go', { desired: 'absent' }, 'settled'],
  ['never asked for', { updateAsked: null }, 'settled'],
])('an update that was %s: %s', (_, more, step) => expect(nextStep(facts(more))).toBe(step))

test('this machine’s own DTMA follows its image, so no update is offered for it', () => {
  const newest = { container: '2.0.0' }
  const box = { provider: 'join', dtmaVersion: '1.0.0', installation: null } as const
  expect(releaseOf({ ...box, provider: 'local' }, newest)).toEqual({ standing: 'current' })
  expect(releaseOf(box, newest)).toEqual({ standing: 'outdated', newer: '2.0.0' })
  expect(releaseOf({ ...box, dtmaVersion: '2.0.1' }, newest)).toEqual({ standing: 'current' })
  expect(releaseOf({ ...box, dtmaVersion: null }, newest)).toBeUndefined()
})

test('what is offered to a DTMA that is a service is the bundle, whatever image there is', () => {
  const box = { provider: 'join', dtmaVersion: '1.0.0', installation: 'service' } as const
  expect(releaseOf(box, { container: '3.0.0' })).toEqual({ standing: 'current' })
  expect(releaseOf(box, { container: '3.0.0', service: '2.0.0' })).toEqual({ standing: 'outdated', newer: '2.0.0' })
})

test('a refusal is shown with its reason', () => {
  expect(updateOf({ updateAsked: asked, updateState: null, updateRefusal: refusal })).toMatchObject({
    phase: 'refused',
    reason: 'release-untrusted',
    message: 'No',
  })
})
