import { eq, sql } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { agents, agentTokens } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { insertAgentToken } from './agent-token.store.ts'
import { createAgentFinder } from './find-agent.ts'

const log = pino({ level: 'silent' })
const of = { accountId: 'account_1' }
let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

async function newToken(expiresInDays?: number) {
  const agentId = newId('agent')
  await store.system((tx) => tx.insert(agents).values({ ...of, id: agentId, name: agentId.replace('_', '-') }))
  const { secret, token } = await store.system((tx) => insertAgentToken(tx, { id: agentId, ...of }, 'x', expiresInDays))
  return { agentId, secret, tokenId: token.id }
}

/** A finder with its own time, and a count of what it asks the database. */
function finderAt(start = 0) {
  let now = start
  let asked = 0
  const system: Store['system'] = (act) => {
    asked += 1
    return store.system(act)
  }
  const clock = { now: () => now, steady: () => now, sleep: async () => {} }
  return {
    ...createAgentFinder({ store: { ...store, system }, clock, log }),
    pass: (ms: number) => {
      now += ms
    },
    get asked() {
      return asked
    },
  }
}

test('a token leads to its agent, and is looked up once in five seconds', async () => {
  const { agentId, secret } = await newToken()
  const finder = finderAt(1_000_000)
  for (let n = 0; n < 10; n += 1) expect(await finder.find(secret)).toMatchObject({ agentId, accountId: 'account_1' })
  expect(finder.asked).toBe(2) // one look, and one note that it was used
  finder.pass(5_001)
  await finder.find(secret)
  expect(finder.asked).toBe(3)
})

test('a revoked token is believed for five seconds at most, and not at all once that is told', async () => {
  const { secret, tokenId } = await newToken()
  const finder = finderAt(1_000_000)
  await finder.find(secret)
  await store.system((tx) => tx.delete(agentTokens).where(eq(agentTokens.id, tokenId)))
  expect(await finder.find(secret)).toBeDefined()
  finder.pass(5_001)
  expect(await finder.find(secret)).toBeUndefined()

  const other = await newToken()
  await finder.find(other.secret)
  await store.system((tx) => tx.delete(agentTokens).where(eq(agentTokens.id, other.tokenId)))
  finder.forget()
  expect(await finder.find(other.secret)).toBeUndefined()
})

test('an expired token, an unknown one, and what is none, are nobody', async () => {
  const { secret, tokenId } = await newToken(1)
  const finder = finderAt(1_000_000)
  expect(await finder.find(secret)).toBeDefined()
  await store.system((tx) =>
    tx.update(agentTokens).set({ expiresAt: sql`now() - interval '1 second'` }).where(eq(agentTokens.id, tokenId)),
  )
  finder.forget()
  expect(await finder.find(secret)).toBeUndefined()
  const before = finder.asked
  for (const text of [
    '',
    'agt_',
    'agt_short',
    `tbx_${'x'.repeat(43)}`,
    `agt_${'x'.repeat(101)}`,
    `agt_${"'".repeat(43)}`,
  ])
    expect(await finder.find(text)).toBeUndefined()
  expect(finder.asked).toBe(before)
})

test('that it was used is noted once a minute', async () => {
  const { secret, tokenId } = await newToken()
  const lastUsed = async () =>
    (await store.system((tx) => tx.select().from(agentTokens).where(eq(agentTokens.id, tokenId))))[0]?.lastUsedAt
  const finder = finderAt(1_000_000)
  await finder.find(secret)
  await vi.waitFor(async () => expect(await lastUsed()).toBeInstanceOf(Date))
  const asked = finder.asked
  await finder.find(secret)
  expect(finder.asked).toBe(asked)
  finder.pass(60_001)
  await finder.find(secret)
  expect(finder.asked).toBe(asked + 2)
})
