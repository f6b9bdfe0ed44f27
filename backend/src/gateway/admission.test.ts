import type { AgentLimits } from '@agentopia/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { callCounts } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { createAdmission, forgetOldCounts } from './admission.ts'
import { gatewayNameOf } from './names.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const NOON = Date.UTC(2026, 0, 1, 12)
const MINUTE_MS = 60_000

function setUp(limits: AgentLimits) {
  const agent = {
    id: newId('agent'),
    accountId: 'account_1',
    name: 'x',
    enabled: true,
    accountEnabled: true,
    limits,
    secrets: 'redact' as const,
  }
  let now = NOON
  const replicas = [0, 1].map(() => createAdmission(store, { now: () => now }))
  return {
    agent,
    async ask(capability = 'echo', argumentBytes = 2, replica = 0, plainNames = false): Promise<string> {
      const item = { plainNames, instance: { name: 'demo' } } as never
      try {
        await replicas[replica]!({ toolbelt: { agent, items: [] }, item, capability, argumentBytes })
        return 'ok'
      } catch (error) {
        const { code, retryAfterSeconds } = error as { code: string; retryAfterSeconds?: number }
        return [code, retryAfterSeconds].filter((part) => part !== undefined).join(' ')
      }
    },
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('without limits the database is not asked', async () => {
  const nowhere: Pick<Store, 'tenant'> = { tenant: () => Promise.reject(new Error('asked')) }
  const admit = createAdmission(nowhere, { now: () => NOON })
  const { agent } = setUp({ capabilities: [{ capability: 'demo__other', perMinute: 1 }] })
  const item = { plainNames: false, instance: { name: 'demo' } } as never
  expect(await admit({ toolbelt: { agent, items: [] }, item, capability: 'echo', argumentBytes: 1e9 })).toBeUndefined()
})

test('T09 so many calls in a minute and no more; the refusal says when the next minute begins', async () => {
  const t = setUp({ perMinute: 3 })
  t.pass(12_500)
  const asked = [await t.ask(), await t.ask(), await t.ask(), await t.ask()]
  expect(asked).toEqual(['ok', 'ok', 'ok', 'rate-limited 48'])
  t.pass(MINUTE_MS)
  expect(await t.ask()).toBe('ok')
})

test('T09 an agent for which nothing is set makes sixty calls in a minute; another number, or none, is set for it alone', async () => {
  const [usual, more, any] = [setUp({}), setUp({ perMinute: 61 }), setUp({ perMinute: null })]
  const accepted = async (t: typeof usual) =>
    (await Promise.all(Array.from({ length: 70 }, () => t.ask()))).filter((answer) => answer === 'ok').length
  expect([await accepted(usual), await accepted(more), await accepted(any)]).toEqual([60, 61, 70])
  usual.pass(MINUTE_MS - 1_000)
  expect(await usual.ask()).toBe('rate-limited 1')
  usual.pass(1_000)
  expect(await usual.ask()).toBe('ok')
})

test('T09 the limit of one agent locks no other out', async () => {
  const [one, other] = [setUp({ perMinute: 1 }), setUp({ perMinute: 1 })]
  expect([await one.ask(), await one.ask(), await other.ask()]).toEqual(['ok', 'rate-limited 60', 'ok'])
})

test('T09 at once, over two replicas, exactly the limit passes', async () => {
  const t = setUp({ perMinute: 7, perDay: 100 })
  const asked = await Promise.all(Array.from({ length: 30 }, (_, n) => t.ask('echo', 2, n % 2)))
  expect(asked.filter((answer) => answer === 'ok')).toHaveLength(7)
})

test('a capability has a limit of its own, within that of the agent', async () => {
  const t = setUp({ perMinute: 4, capabilities: [{ capability: 'demo__echo', perMinute: 2 }] })
  expect([await t.ask('echo'), await t.ask('echo'), await t.ask('echo')]).toEqual(['ok', 'ok', 'rate-limited 60'])
  // What was refused is not counted: two of four are left.
  expect([await t.ask('add'), await t.ask('add'), await t.ask('add')]).toEqual(['ok', 'ok', 'rate-limited 60'])
})

test.each([
  ['holds a point', 'get.user'],
  ['holds a slash and a space', 'files/read all'],
  ['is too long', 'a'.repeat(80)],
])(
  'the limit of a capability whose name %s is known by its name at the gateway, and by the one in full',
  async (_, capability) => {
    const full = `demo__${capability}`
    const listed = gatewayNameOf('demo', capability)
    expect(listed).not.toBe(full)
    for (const name of [listed, full]) {
      const t = setUp({ capabilities: [{ capability: name, perMinute: 1 }] })
      expect([await t.ask(capability), await t.ask(capability)]).toEqual(['ok', 'rate-limited 60'])
      expect(await t.ask('echo')).toBe('ok')
    }
  },
)

test('where names are plain, the plain one has its limit', async () => {
  const t = setUp({ capabilities: [{ capability: 'get.user', perMinute: 1 }] })
  const plain = () => t.ask('get.user', 2, 0, true)
  expect([await plain(), await plain()]).toEqual(['ok', 'rate-limited 60'])
  // A name without an instance is that of the item with plain names, and of no other.
  expect(await t.ask('get.user')).toBe('ok')
})

test('a limit goes on to hold, and to count, when names become plain', async () => {
  for (const capability of ['echo', 'get.user']) {
    const t = setUp({ capabilities: [{ capability: gatewayNameOf('demo', capability), perMinute: 2 }] })
    const plain = () => t.ask(capability, 2, 0, true)
    expect([await t.ask(capability), await plain(), await plain()]).toEqual(['ok', 'ok', 'rate-limited 60'])
  }
})

test('where a capability is limited by two of its names, both limits hold', async () => {
  const capabilities = [
    { capability: 'demo__echo', perDay: 1 },
    { capability: 'echo', perMinute: 5 },
  ]
  const plain = setUp({ capabilities })
  const echo = () => plain.ask('echo', 2, 0, true)
  expect([await echo(), await echo()]).toEqual(['ok', `rate-limited ${12 * 3_600}`])
})

test('a day is one of UTC', async () => {
  const t = setUp({ perDay: 1 })
  expect([await t.ask(), await t.ask()]).toEqual(['ok', `rate-limited ${12 * 3_600}`])
  t.pass(12 * 3_600_000)
  expect(await t.ask()).toBe('ok')
})

test('long arguments are refused and not counted', async () => {
  const t = setUp({ perMinute: 1, argumentBytes: 10 })
  expect([await t.ask('echo', 11), await t.ask('echo', 10)]).toEqual(['payload-too-large', 'ok'])
})

test('a lowered limit holds at once', async () => {
  const t = setUp({ perMinute: 5 })
  for (let n = 0; n < 3; n += 1) await t.ask()
  t.agent.limits = { perMinute: 2 }
  expect(await t.ask()).toBe('rate-limited 60')
})

test('windows that are over are forgotten', async () => {
  const t = setUp({ perMinute: 1, perDay: 5 })
  await t.ask()
  const ofAgent = async () =>
    (await store.system((tx) => tx.select().from(callCounts))).filter(({ agentId }) => agentId === t.agent.id).length
  await store.system((tx) => forgetOldCounts(tx, NOON))
  expect(await ofAgent()).toBe(2)
  await store.system((tx) => forgetOldCounts(tx, NOON + 3 * 86_400_000))
  expect(await ofAgent()).toBe(0)
})
