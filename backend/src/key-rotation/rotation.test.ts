import { ProblemError } from '@agentopia/api'
import { type Client, DTMA_PROBLEMS, rotateKeys } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, NOBODY, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import type { Tx } from '../store/connect.ts'
import { activities, toolboxes } from '../store/schema/index.ts'
import { whyBusy } from '../toolboxes/busy.decision.ts'
import { lockToolbox } from '../toolboxes/toolbox.store.ts'
import { quarantine } from '../uplink/quarantine.ts'
import { newKey, openUplink } from '../uplink/uplink.testing.ts'
import { rotationReconciler } from './rotation.reconciler.ts'
import { LONGEST_MS, nextStep, type RotationFacts, rotationOf } from './rotation.step.ts'
import { allowToken } from './rotation.store.ts'

const ACCOUNT = 'acct_rotation'
const rootKey = Buffer.alloc(32, 7)
const never = new AbortController().signal

let plane: TestControlPlane
let operator: As
beforeAll(async () => {
  plane = await openTestControlPlane()
  operator = await signedIn(plane, ACCOUNT, 'operator')
})
afterAll(() => plane?.close())

/** An enrolled toolbox, whose DTMA takes what it is handed, or answers otherwise. */
async function joined(name: string) {
  const uplink = openUplink(plane.store)
  const { id, bearer } = await uplink.joined({ accountId: ACCOUNT, name, provider: 'join' })
  await plane.store.system((tx) => tx.update(toolboxes).set({ status: 'active' }).where(eq(toolboxes.id, id)))
  const handed: string[] = []
  let failure: Error | undefined
  const call = async (operation: unknown, { body }: { body: { token: string } }) => {
    expect(operation).toBe(rotateKeys)
    if (failure) throw failure
    handed.push(body.token)
    return { rotating: true }
  }
  const reconciler = rotationReconciler({
    store: plane.store,
    clock: uplink.clock,
    rootKey,
    clientOf: () => ({ call }) as unknown as Client,
  })
  const ask = (as: As = operator) => plane.request('POST', `/api/toolboxes/${id}/rotate-keys`, as)
  return {
    ...uplink,
    id,
    bearer,
    handed,
    ask,
    step: () => reconciler.reconcile(id, never),
    listed: async () => (await reconciler.list(never)).includes(id),
    failWith: (code: keyof typeof DTMA_PROBLEMS | undefined) => {
      failure = code && new ProblemError(code, DTMA_PROBLEMS[code], `${code}, said the test`)
    },
    shown: async () =>
      ((await (await plane.request('GET', `/api/toolboxes/${id}`, operator)).json()) as { keyRotation?: object })
        .keyRotation,
  }
}

test('who may not operate may not rotate keys', async () => {
  const { ask } = await joined('roles')
  expect((await ask(await signedIn(plane, ACCOUNT, 'viewer'))).status).toBe(403)
  expect((await ask(await signedIn(plane, 'acct_stranger', 'owner'))).status).toBe(404)
  expect((await ask(NOBODY)).status).toBe(401)
})

test('a toolbox with which something else is done says what, and keeps its keys', async () => {
  const { id, ask, row } = await joined('busy')
  const at = new Date().toISOString()
  const updateState = { attempt: 'a', version: '9.9.9', from: '0.1.0', phase: 'loading', since: at } as const
  await plane.store.system((tx) => tx.update(toolboxes).set({ updateState }).where(eq(toolboxes.id, id)))
  const answer = await ask()
  expect([answer.status, await answer.json()]).toEqual([
    409,
    expect.objectContaining({ code: 'toolbox-busy', detail: 'DTMA of busy is being updated' }),
  ])
  expect((await row(id)).keyRotationAsked).toBeNull()
})

test('once DTMA has enrolled with the token that it was handed, the credential and the key before open nothing', async () => {
  const box = await joined('rotated')
  const before = await box.row(box.id)
  expect((await box.ask()).status).toBe(202)
  expect(await box.shown()).toMatchObject({ phase: 'asked' })
  expect(await box.listed()).toBe(true)
  expect(await box.step()).toEqual({ done: false, retryAfterMs: 10_000 })
  // Handed over and not used: everything that was there holds.
  expect(await box.row(box.id)).toMatchObject({
    publicKey: before.publicKey,
    dtmaBearerToken: before.dtmaBearerToken,
    backendToDtmaApiKey: before.backendToDtmaApiKey,
  })

  const { status, json } = await box.enrol(newKey()(box.id, box.handed[0]!))
  expect(status).toBe(201)
  const after = await box.row(box.id)
  expect(after.status).toBe('active')
  expect(after.publicKey).not.toBe(before.publicKey)
  expect(after.dtmaBearerToken).not.toBe(before.dtmaBearerToken)
  expect(after.backendToDtmaApiKey).not.toBe(before.backendToDtmaApiKey)
  expect(box.enrolled.at(-1)).toBe(box.id) // its roads are closed
  const beat = { runId: 'r', seq: 1, dtmaVersion: '0.1.0', apiVersion: 1, docker: { state: 'ok' } }
  expect((await box.beat(box.bearer, beat)).status).toBe(401)
  expect((await box.beat(json.dtmaBearerToken, beat)).status).toBe(200)
  expect(await box.shown()).toMatchObject({ phase: 'done' })
  expect([await box.listed(), await box.step()]).toEqual([false, { done: true }])
  const recorded = await plane.store.system((tx) =>
    tx
      .select({ action: activities.action, actor: activities.actor })
      .from(activities)
      .where(eq(activities.subject, box.id)),
  )
  expect(recorded.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['toolbox.rotate-keys', 'toolbox.keys-rotated']),
  )
  expect(recorded.find(({ action }) => action === 'toolbox.rotate-keys')?.actor).not.toBe('DTMA')
})

test('asked twice it is one rotation; handed over twice, by two replicas or after a crash, it is one token and one key', async () => {
  const box = await joined('twice')
  await box.ask()
  const { attempt } = (await box.row(box.id)).keyRotationAsked!
  await box.ask()
  expect((await box.row(box.id)).keyRotationAsked!.attempt).toBe(attempt)
  await Promise.all([box.step(), box.step()])
  expect(new Set(box.handed).size).toBe(1)
  const mine = newKey()(box.id, box.handed[0]!)
  const replies = await Promise.all([box.enrol(mine), box.enrol(newKey()(box.id, box.handed[0]!))])
  expect(replies.map(({ status }) => status).toSorted()).toEqual([201, 401])
  expect((await box.row(box.id)).enrolEpoch).toBe(2)
})

test('E09 locked out while its token is on the way, a toolbox is let in by no token that is handed over for its rotation', async () => {
  const box = await joined('cloned')
  await box.ask()
  await box.step()
  const lockOut = async (tx: Tx) => {
    await quarantine(tx, (await lockToolbox(tx, box.id))!, new Date(box.clock.now()))
  }
  await plane.store.system(lockOut)
  expect((await box.enrol(newKey()(box.id, box.handed[0]!))).status).toBe(401)
  // Read before it was locked out, acted on after.
  const before = { ...(await box.row(box.id)), backendToDtmaApiKey: 'sealed', status: 'active' } as const
  expect(await plane.store.system((tx) => allowToken(tx, before, box.handed[0]!, new Date(box.clock.now())))).toBe(
    false,
  )
  expect((await box.enrol(newKey()(box.id, box.handed[0]!))).status).toBe(401)
  expect((await box.row(box.id)).status).toBe('quarantined')
})

test('a token runs out after five minutes, and is good again when it is handed over again', async () => {
  const box = await joined('late')
  await box.ask()
  await box.step()
  await box.clock.advance(5 * 60_000)
  const mine = newKey()(box.id, box.handed[0]!)
  expect((await box.enrol(mine)).status).toBe(401)
  await box.step()
  expect((await box.enrol(mine)).status).toBe(201)
})

test('a DTMA that was killed before the reply came gets it again, however late; once it was heard, not any more', async () => {
  const box = await joined('lost-reply')
  await box.ask()
  await box.step()
  const mine = newKey()(box.id, box.handed[0]!)
  await box.enrol(mine) // lost on the way
  await box.clock.advance(60 * 60_000)
  expect((await box.enrol(newKey()(box.id, box.handed[0]!))).status).toBe(401) // another key
  const { status, json } = await box.enrol(mine)
  expect(status).toBe(201)
  const beat = { runId: 'r', seq: 1, dtmaVersion: '0.1.0', apiVersion: 1, docker: { state: 'ok' } }
  expect((await box.beat(json.dtmaBearerToken, beat)).status).toBe(200)
  expect((await box.enrol(mine)).status).toBe(401)
})

test('a DTMA that is away is handed its token when it comes back; an old one refuses, and says what to do', async () => {
  const box = await joined('away')
  await box.ask()
  box.failWith('not-found')
  await box.step()
  expect(await box.shown()).toMatchObject({ phase: 'refused', message: expect.stringContaining('update it first') })
  expect(await box.listed()).toBe(false)
  await box.ask()
  box.failWith('keys-given')
  await box.step()
  expect(await box.shown()).toMatchObject({ phase: 'refused', message: expect.stringContaining('keys-given') })
  await box.ask()
  box.failWith('state-not-writable')
  expect(await box.step()).toMatchObject({ done: false })
  expect(await box.shown()).toMatchObject({ phase: 'asked' })
})

test('a rotation that DTMA never comes to is given up after its time: people are told, and the toolbox is free', async () => {
  const box = await joined('stuck')
  await box.ask()
  await box.step()
  await box.clock.advance(LONGEST_MS - 1)
  await box.step()
  expect(whyBusy(await box.row(box.id), undefined)).toBe('The keys of stuck are being changed')
  await box.clock.advance(1)
  expect(await box.step()).toEqual({ done: true })
  const message = 'DTMA has not enrolled with other keys within 60 minutes. It was never heard'
  expect([await box.shown(), await box.listed()]).toEqual([
    expect.objectContaining({ phase: 'unanswered', message }),
    false,
  ])
  expect(whyBusy(await box.row(box.id), undefined)).toBeUndefined()
  const recorded = await plane.store.system((tx) => tx.select().from(activities).where(eq(activities.subject, box.id)))
  expect(recorded).toContainEqual(
    expect.objectContaining({
      action: 'toolbox.rotation-given-up',
      message: `Other keys of stuck were given up. ${message}`,
    }),
  )

  // It enrols with the last token that it was handed: it has other keys, and that is what people see.
  expect((await box.enrol(newKey()(box.id, box.handed.at(-1)!))).status).toBe(201)
  expect(await box.shown()).toMatchObject({ phase: 'done' })
})

test('another rotation after one that was given up has the whole time', async () => {
  const box = await joined('stuck-again')
  await box.ask()
  await box.step()
  await box.clock.advance(LONGEST_MS)
  await box.step()
  await box.ask()
  expect(await box.step()).toMatchObject({ done: false })
  expect([await box.shown(), new Set(box.handed).size]).toEqual([expect.objectContaining({ phase: 'asked' }), 2])
})

test('a toolbox that has not enrolled has no keys to change', async () => {
  const box = await joined('no-keys')
  await plane.store.system((tx) =>
    tx.update(toolboxes).set({ backendToDtmaApiKey: null, status: 'quarantined' }).where(eq(toolboxes.id, box.id)),
  )
  const answer = await box.ask()
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([409, 'no-keys'])
})

const asked = { attempt: 'a', epoch: 3, askedAt: '2026-01-01T00:00:00.000Z' }
const facts = (more: Partial<RotationFacts>): RotationFacts => ({
  desired: 'present',
  enrolEpoch: 3,
  backendToDtmaApiKey: 'sealed',
  keyRotationAsked: asked,
  keyRotationRefusal: null,
  ...more,
})
const refusal = { attempt: 'a', message: 'No', at: '2026-01-01T00:00:01.000Z' }

test.each<[string, Partial<RotationFacts>, string, string | undefined]>([
  ['asked for', {}, 'send', 'asked'],
  ['asked for again after a refusal', { keyRotationRefusal: { ...refusal, attempt: 'b' } }, 'send', 'asked'],
  ['refused', { keyRotationRefusal: refusal }, 'settled', 'refused'],
  ['given up', { keyRotationRefusal: { ...refusal, isGivenUp: true } }, 'settled', 'unanswered'],
  [
    'given up and over after all',
    { keyRotationRefusal: { ...refusal, isGivenUp: true }, enrolEpoch: 4 },
    'settled',
    'done',
  ],
  ['over, by whatever enrolment', { enrolEpoch: 4 }, 'settled', 'done'],
  ['of a toolbox that is locked out', { backendToDtmaApiKey: null }, 'settled', 'asked'],
  ['of a toolbox that is to go', { desired: 'absent' }, 'settled', 'asked'],
  ['never asked for', { keyRotationAsked: null }, 'settled', undefined],
])('a rotation that is %s: %s', (_, more, step, phase) => {
  expect([nextStep(facts(more)), rotationOf(facts(more))?.phase]).toEqual([step, phase])
})
