import { expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import type { Toolbelt } from './authorise.ts'
import { createToolbelts } from './toolbelts.ts'

function setUp() {
  let now = 0
  let reads = 0
  let enabled = true
  let held: Promise<void> = Promise.resolve()
  const store: Pick<Store, 'tenant'> = { tenant: (_, act) => act(undefined as never) }
  const read = async (_: unknown, agentId: string): Promise<Toolbelt | undefined> => {
    reads += 1
    const agent = {
      id: agentId,
      accountId: 'a',
      name: 'x',
      enabled,
      accountEnabled: true,
      limits: {},
      secrets: 'redact' as const,
    }
    await held
    if (agentId === 'broken') throw new Error('no database')
    return agentId === 'nobody' ? undefined : { agent, items: [] }
  }
  const toolbelts = createToolbelts({ store, clock: { steady: () => now }, read })
  return {
    toolbelts,
    isEnabled: async () => (await toolbelts.of('a', 'agent'))?.toolbelt.agent.enabled,
    pass: (ms: number) => {
      now += ms
    },
    switchOff: () => {
      enabled = false
    },
    hold: (until: Promise<void>) => {
      held = until
    },
    get reads() {
      return reads
    },
  }
}

test('many at once read once, and again only after five seconds', async () => {
  const t = setUp()
  await Promise.all(Array.from({ length: 100 }, () => t.isEnabled()))
  t.pass(4_999)
  await t.isEnabled()
  expect(t.reads).toBe(1)
  t.switchOff()
  t.pass(2)
  expect([await t.isEnabled(), t.reads]).toEqual([false, 2])
})

test('a change holds for whoever asks after it, also when the reading had begun before', async () => {
  const t = setUp()
  const { promise, resolve } = Promise.withResolvers<void>()
  t.hold(promise)
  const before = t.isEnabled()
  t.switchOff()
  t.toolbelts.forget('a')
  const after = t.isEnabled()
  resolve()
  expect([await before, await after]).toEqual([true, false])
  expect(await t.isEnabled()).toBe(false)
})

test('a change in another account costs nothing; one that nobody can place, everything', async () => {
  const t = setUp()
  await t.isEnabled()
  t.toolbelts.forget('b')
  await t.isEnabled()
  expect(t.reads).toBe(1)
  t.toolbelts.forget()
  await t.isEnabled()
  expect(t.reads).toBe(2)
})

test('neither a failure nor an agent that is not there is remembered', async () => {
  const t = setUp()
  for (let n = 0; n < 2; n += 1) {
    await expect(t.toolbelts.of('a', 'broken')).rejects.toThrow('no database')
    expect(await t.toolbelts.of('a', 'nobody')).toBeUndefined()
  }
  expect(t.reads).toBe(4)
})
