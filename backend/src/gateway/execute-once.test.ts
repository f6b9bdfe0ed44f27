import { ProblemError, problem } from '@agentopia/api'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { executeKeys } from '../store/schema/index.ts'
import { createSealer } from '../store/seal.ts'
import { openTestStore } from '../store/testing.ts'
import { createExecuteOnce, forgetManyAnswers, forgetOldExecuteKeys } from './execute-once.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const sealer = createSealer(Buffer.alloc(32, 7))
let keys = 0

/** Calls with one key, and what came of them. */
function setUp(given: { readonly agentId?: string; readonly key?: string | undefined } = {}) {
  const { agentId, key } = { agentId: 'agent_1', key: `key ${++keys}`, ...given }
  let now = Date.UTC(2026, 0, 1)
  let made = 0
  const once = createExecuteOnce({ store, sealer, clock: { now: () => now }, log: pino({ level: 'silent' }) })
  const call = {
    accountId: 'account_1',
    agentId,
    key,
    request: { capability: 'echo', a: 1 },
    timeoutMs: 1_000,
    waitMs: 0,
  }
  const answer = () => ({ callId: `call ${++made}`, durationMs: 1, result: { text: 'canary-of-an-answer' } })
  return {
    key,
    ask: (act: () => Promise<ReturnType<typeof answer>> = async () => answer(), request: object = call.request) =>
      once({ ...call, request }, act).then(
        ({ callId }) => callId,
        (error: unknown) => (error instanceof ProblemError ? `${error.code}: ${error.message}` : 'another failure'),
      ),
    answer,
    made: () => made,
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('the same key with the same arguments is one call and one answer', async () => {
  const t = setUp()
  expect([await t.ask(), await t.ask(), await t.ask()]).toEqual(['call 1', 'call 1', 'call 1'])
  expect(await t.ask(undefined, { a: 1, capability: 'echo' })).toBe('call 1') // in another order the same
  expect(t.made()).toBe(1)
})

test('without a key each is a call', async () => {
  const t = setUp({ key: undefined })
  expect([await t.ask(), await t.ask()]).toEqual(['call 1', 'call 2'])
})

test('the same key with other arguments is refused', async () => {
  const t = setUp()
  await t.ask()
  expect(await t.ask(undefined, { capability: 'echo', a: 2 })).toContain('idempotency-key-reused')
})

test('keys of two agents are two keys', async () => {
  const one = setUp()
  const other = setUp({ agentId: 'agent_2', key: one.key })
  await one.ask()
  expect([await other.ask(), other.made()]).toEqual(['call 1', 1])
})

test('of twenty at once one is made; the others hear that it is under way, and later its answer', async () => {
  const t = setUp()
  const { promise, resolve } = Promise.withResolvers<void>()
  const all = Array.from({ length: 20 }, () => t.ask(() => promise.then(t.answer)))
  const early = await Promise.race(all)
  expect(early).toContain('call-under-way')
  resolve()
  const heard = await Promise.all(all)
  for (const answer of heard) expect(answer).toMatch(/^(call 1$|call-under-way)/)
  expect([await t.ask(), t.made()]).toEqual(['call 1', 1])
})

test('a failure that may have done the work is the answer from then on', async () => {
  const t = setUp()
  const failed = 'call-timeout: No answer came within 5 ms'
  expect(await t.ask(() => Promise.reject(problem('call-timeout', 'No answer came within 5 ms')))).toBe(failed)
  expect([await t.ask(), t.made()]).toEqual([failed, 0])
})

test.each([
  'agent-disabled',
  'calls-stopped',
  'capability-denied',
  'capability-not-offered',
  'toolbelt-item-disabled',
  'toolbox-access-missing',
  'rate-limited',
  'circuit-open',
  'instance-not-running',
  'missing-credential',
  'master-key-missing',
  'store-unavailable',
] as const)('what was refused before it was made (%s) may be made later under the same key', async (code) => {
  const t = setUp()
  expect(await t.ask(() => Promise.reject(problem(code, 'not now')))).toContain(code)
  expect(await t.ask()).toBe('call 1')
})

test('after a crash, or when the client left, nobody is told that the call was not made', async () => {
  const crashed = setUp()
  await new Promise<void>((begun) => {
    void crashed.ask(() => {
      begun()
      return new Promise(() => {})
    })
  })
  expect(await crashed.ask()).toContain('call-under-way')
  crashed.pass(12_001)
  expect(await crashed.ask()).toContain('call-made-before')
  const left = setUp()
  expect(await left.ask(() => Promise.reject(new Error('the client went away')))).toBe('another failure')
  expect(await left.ask()).toContain('call-made-before')
})

test('an answer that is too long to keep is given once', async () => {
  const t = setUp()
  const long = async () => ({ ...t.answer(), result: { text: 'x'.repeat(2 << 20) } })
  expect([await t.ask(long), (await t.ask(long)).split(':')[0]]).toEqual(['call 1', 'call-made-before'])
})

test('answers are kept under seal, and not longer than a day', async () => {
  const t = setUp()
  await t.ask()
  const rows = await store.system((tx) => tx.select().from(executeKeys))
  expect(JSON.stringify(rows)).not.toContain('canary-of-an-answer')
  await store.system((tx) => tx.update(executeKeys).set({ createdAt: new Date(Date.now() - 25 * 3_600_000) }))
  expect(await t.ask()).toBe('call 2') // forgotten by whoever asks
  expect(await store.system(forgetOldExecuteKeys)).toBe(rows.length - 1) // and the rest by the housekeeping
})

test('of an agent so many answers are kept, the newest; that the others were made is known all the same', async () => {
  const asked = [1, 2, 3].map(() => setUp({ agentId: 'agent_with_many' }))
  const other = setUp({ agentId: 'agent_with_few' })
  for (const t of [...asked, other]) await t.ask()
  const sealed = async () =>
    (await store.system((tx) => tx.select().from(executeKeys)))
      .filter(({ agentId }) => agentId === 'agent_with_many')
      .map(({ answer }) => answer?.length ?? 0)
  const [length = 0] = await sealed()
  expect(await store.system((tx) => forgetManyAnswers(tx, 2 * length))).toBe(1)
  expect(await store.system((tx) => forgetManyAnswers(tx, 2 * length))).toBe(0)
  expect((await sealed()).filter((kept) => kept > 0)).toHaveLength(2)
  expect((await asked[0]!.ask()).split(':')[0]).toBe('call-made-before')
  expect([await asked[2]!.ask(), await other.ask(), asked[0]!.made()]).toEqual(['call 1', 'call 1', 1])
})
