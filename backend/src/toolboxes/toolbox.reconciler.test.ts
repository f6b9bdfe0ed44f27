import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Machine, ProviderError, type ToolboxProvider } from '../providers/provider.ts'
import type { Store } from '../store/connect.ts'
import { activities, enrolmentTokens, toolboxes } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { beatOf, insertToolbox, newKey, openUplink } from '../uplink/uplink.testing.ts'
import { toolboxReconciler } from './toolbox.reconciler.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

/** A provider whose machines are an entry of a map. */
function fakeProvider() {
  const machines = new Map<string, Machine>()
  const tokens: string[] = []
  const calls: string[] = []
  let failure: Error | undefined
  const running = { ref: 'm', state: 'running', current: true, description: 'runs' } as const
  const act = async (name: string, deed: () => void) => {
    calls.push(name)
    if (failure) throw failure
    deed()
  }
  const provider: ToolboxProvider = {
    name: 'local',
    find: async (id) => {
      if (failure) throw failure
      return machines.get(id)
    },
    create: (id, token) =>
      act('create', () => {
        machines.set(id, running)
        tokens.push(token)
      }),
    renewToken: (_, token) => act('renewToken', () => void tokens.push(token)),
    start: (id) => act('start', () => void machines.set(id, running)),
    destroy: (id) => act('destroy', () => void machines.delete(id)),
  }
  const fail = (error?: Error) => {
    failure = error
  }
  return { provider, machines, tokens, calls, fail }
}

async function scene(over: Partial<typeof toolboxes.$inferInsert> = {}) {
  const uplink = openUplink(store)
  const fake = fakeProvider()
  const { id } = await insertToolbox(store, { status: 'pending_provision', ...over })
  const make = (owner = 'replica') =>
    toolboxReconciler({ store, clock: uplink.clock, providers: [fake.provider], owner })
  const reconciler = make()
  return {
    ...fake,
    uplink,
    id,
    make,
    reconciler,
    step: () => reconciler.reconcile(id, AbortSignal.timeout(20_000)),
    status: async () => (await uplink.row(id)).status,
  }
}

test('a new toolbox gets a machine, enrols with the token that it was given, and becomes active', async () => {
  const { id, step, status, tokens, uplink, calls } = await scene()
  expect(await step()).toMatchObject({ done: false })
  expect([await status(), calls]).toEqual(['awaiting_heartbeat', ['create']])
  const { json } = await uplink.enrol(newKey()(id, tokens[0]!))
  await uplink.beat(json.dtmaBearerToken, beatOf('r', 1))
  expect(await step()).toEqual({ done: true })
  expect([await status(), calls]).toEqual(['active', ['create']])
})

test('a crash between the creation and its record does not create twice', async () => {
  const { id, step, status, machines, calls } = await scene({ status: 'provisioning' })
  machines.set(id, { ref: 'm', state: 'running', current: true, description: '' })
  await step()
  expect([await status(), calls]).toEqual(['awaiting_heartbeat', []])
})

test('without Docker the toolbox says why, and goes on once it is there', async () => {
  const { id, step, status, fail, uplink } = await scene()
  fail(new ProviderError('Docker does not run on this machine'))
  await expect(step()).rejects.toThrow('Docker')
  expect(await uplink.row(id)).toMatchObject({
    status: 'error_provisioning',
    statusReason: 'Docker does not run on this machine',
  })
  fail(new ProviderError('Docker has no image x'))
  await expect(step()).rejects.toThrow('image')
  expect(await uplink.row(id)).toMatchObject({ status: 'error_provisioning', statusReason: 'Docker has no image x' })
  const told = await store.system((tx) => tx.select().from(activities).where(eq(activities.subject, id)))
  expect(told).toHaveLength(1)
  fail()
  await step()
  expect(await status()).toBe('awaiting_heartbeat')
  expect((await uplink.row(id)).statusReason).toBeNull()
})

test('a failure of the provider leaves the status of a working toolbox to its heartbeats', async () => {
  const { step, status, fail } = await scene({ status: 'active' })
  fail(new ProviderError('Docker does not run on this machine'))
  await expect(step()).rejects.toThrow('Docker')
  expect(await status()).toBe('active')
})

test('a machine that somebody removed is made again, with a new token and the same status', async () => {
  const { step, status, calls, tokens } = await scene({ status: 'active' })
  await step()
  expect([await status(), calls, tokens.length]).toEqual(['active', ['create'], 1])
})

test('an enrolment token that expired before it was used is renewed', async () => {
  const { id, step, tokens, uplink, calls } = await scene()
  await step()
  await step()
  expect(tokens).toHaveLength(1)
  await uplink.clock.advance(15 * 60_000)
  await step()
  expect([calls, tokens.length]).toEqual([['create', 'renewToken'], 2])
  expect((await uplink.enrol(newKey()(id, tokens[1]!))).status).toBe(201)
})

test('while a machine does not come up, the toolbox says what the provider sees', async () => {
  const { id, step, machines, uplink } = await scene({ status: 'awaiting_heartbeat' })
  const description = 'the container m is restarting after it ended with code 1'
  machines.set(id, { ref: 'm', state: 'creating', current: true, description })
  await step()
  expect(await uplink.row(id)).toMatchObject({ status: 'awaiting_heartbeat', statusReason: description })
})

test('a machine that was stopped before the product started is started once, later stops are respected', async () => {
  const { id, step, machines, calls, uplink } = await scene({ status: 'active' })
  const stop = (code: number) =>
    machines.set(id, {
      ref: 'm',
      state: 'stopped',
      current: true,
      description: '',
      exit: { code, at: new Date(uplink.clock.now()) },
    })
  stop(0)
  await step()
  expect(calls).toEqual(['start'])
  stop(0)
  await uplink.clock.advance(3_600_000)
  expect(await step()).toEqual({ done: true })
  expect(calls).toEqual(['start'])
  stop(137)
  expect(await step()).toEqual({ done: false, retryAfterMs: 60_000 })
  await uplink.clock.advance(60_000)
  await step()
  expect(calls).toEqual(['start', 'start'])
})

test('what nobody wants is destroyed: no machine, no credential, the history stays', async () => {
  const { id, step, machines, uplink, calls, reconciler } = await scene()
  await step()
  const bearer = (await uplink.enrol(newKey()(id, await uplink.token(await uplink.row(id))))).json.dtmaBearerToken
  await store.system((tx) => tx.update(toolboxes).set({ desired: 'absent' }).where(eq(toolboxes.id, id)))
  await step()
  expect(await uplink.row(id)).toMatchObject({
    status: 'deprovisioned',
    dtmaBearerToken: null,
    backendToDtmaApiKey: null,
  })
  expect((await uplink.row(id)).deletedAt).not.toBeNull()
  expect([machines.size, calls]).toEqual([0, ['create', 'destroy']])
  expect((await uplink.beat(bearer, beatOf('r', 1))).status).toBe(401)
  expect(
    await store.system((tx) => tx.select().from(enrolmentTokens).where(eq(enrolmentTokens.toolboxId, id))),
  ).toEqual([])
  expect(await reconciler.list(AbortSignal.timeout(1_000))).not.toContain(id)
})

test('a deprovisioning that failed says why and is tried again', async () => {
  const { id, step, machines, fail, status, uplink } = await scene({ status: 'active', desired: 'absent' })
  machines.set(id, { ref: 'm', state: 'running', current: true, description: '' })
  fail(new ProviderError('Docker does not run'))
  await expect(step()).rejects.toThrow('Docker')
  fail()
  await step()
  expect(await status()).toBe('deprovisioned')
  expect((await uplink.row(id)).statusReason).toBeNull()
})

test('of two replicas one makes the machine', async () => {
  const { id, make, calls } = await scene()
  const outcomes = await Promise.all(['a', 'b'].map((owner) => make(owner).reconcile(id, AbortSignal.timeout(20_000))))
  expect(calls.filter((call) => call === 'create')).toHaveLength(1)
  expect(outcomes).toHaveLength(2)
})

test('toolboxes of providers that this control plane does not have are left alone', async () => {
  const { id, reconciler, step, calls } = await scene({ provider: 'join' })
  expect(await reconciler.list(AbortSignal.timeout(1_000))).not.toContain(id)
  expect([await step(), calls]).toEqual([{ done: true }, []])
})
