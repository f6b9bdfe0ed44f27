import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { credentials } from '../store/schema/index.ts'
import { openTestCredentials } from './credentials.testing.ts'

let plane: Awaited<ReturnType<typeof openTestCredentials>>
beforeAll(async () => {
  plane = await openTestCredentials()
})
afterAll(() => plane.close())

test('K02 what one account sealed does not open for another, nor for another credential or version', async () => {
  const { store, seals } = plane
  const mine = { id: 'cred_1', accountId: 'account_a', version: 1 }
  const sealed = await store.system((tx) => seals.seal(tx, mine, { apiKey: 'canary-a' }))
  expect(sealed).not.toContain('canary')
  expect(await store.system((tx) => seals.open(tx, mine, sealed))).toEqual({ apiKey: 'canary-a' })
  for (const other of [{ accountId: 'account_b' }, { id: 'cred_2' }, { version: 2 }])
    await expect(store.system((tx) => seals.open(tx, { ...mine, ...other }, sealed))).rejects.toThrow()
})

test('K02 ciphertexts swapped between the rows of two tenants open for neither, and neither container starts', async () => {
  const { store } = plane
  const one = await plane.agentOf(await plane.instanceIn('account_one'))
  const other = await plane.agentOf(await plane.instanceIn('account_other'))
  await one.give('canary-of-one')
  await other.give('canary-of-other')
  await store.system(async (tx) => {
    const [a, b] = [(await tx.select().from(credentials).where(eq(credentials.accountId, 'account_one')))[0]!, (await tx.select().from(credentials).where(eq(credentials.accountId, 'account_other')))[0]!] // biome-ignore format: a pair
    await tx.update(credentials).set({ sealed: b.sealed }).where(eq(credentials.id, a.id))
    await tx.update(credentials).set({ sealed: a.sealed }).where(eq(credentials.id, b.id))
  })
  for (const agent of [one, other]) {
    await expect(agent.call(500)).rejects.toMatchObject({ code: 'call-timeout' })
    expect(plane.toolbox.tools.get(agent.tool)?.held).toBeUndefined()
  }
})

test('K02 the whole database holds no value in plain', async () => {
  const { store } = plane
  const agent = await plane.agentOf(await plane.instanceIn('account_dump'))
  await agent.give('canary-in-the-dump-0123456789')
  await agent.call()
  const dump = await store.system(async (tx) => {
    const tables = await tx.execute<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    )
    const rows = []
    for (const { name } of tables.rows) rows.push((await tx.execute(`select t::text from "${name}" t`)).rows)
    return JSON.stringify(rows)
  })
  expect(dump).toContain(agent.agentId)
  expect(dump).not.toContain('canary-in-the-dump')
})
