import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from './connect.ts'
import { agents } from './schema/index.ts'
import { openTestStore } from './testing.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
  await store.system((tx) =>
    tx.insert(agents).values([
      { id: newId('agent'), accountId: 'account-a', name: 'canary-a' },
      { id: newId('agent'), accountId: 'account-b', name: 'canary-b' },
    ]),
  )
})
afterAll(() => store[Symbol.asyncDispose]())

test('T04 an account sees its own rows, whatever the query says', async () => {
  expect((await store.tenant('account-a', (tx) => tx.select().from(agents))).map(({ name }) => name)).toEqual([
    'canary-a',
  ])
})

test('T02 an account can neither change nor remove rows of another', async () => {
  await store.tenant('account-a', async (tx) => {
    expect(await tx.update(agents).set({ description: 'taken over' }).where(sql`true`).returning()).toHaveLength(1)
    expect(await tx.delete(agents).where(sql`account_id = 'account-b'`).returning()).toHaveLength(0)
  })
  expect((await store.tenant('account-b', (tx) => tx.select().from(agents)))[0]).toMatchObject({
    name: 'canary-b',
    description: '',
  })
})

test('T02 an account cannot write a row in the name of another', async () => {
  const forged = store.tenant('account-a', (tx) =>
    tx.insert(agents).values({ id: newId('agent'), accountId: 'account-b', name: 'forged' }),
  )
  await expect(forged).rejects.toMatchObject({ cause: { code: '42501' } })
})

test('without an account there are no rows at all', async () => {
  expect(await store.tenant('', (tx) => tx.select().from(agents))).toEqual([])
})

test('the role of one transaction does not outlive it', async () => {
  await store.tenant('account-a', (tx) => tx.select().from(agents))
  expect(await store.system((tx) => tx.select().from(agents))).toHaveLength(2)
})

test('T02 every table with an account is under row-level security, and the others are closed to the application role', async () => {
  const { rows } = await store.system((tx) =>
    tx.execute<{ table: string; scoped: boolean; secured: boolean; policies: number; readable: boolean }>(sql`
      select c.relname as table,
        exists (select from information_schema.columns i where i.table_schema = 'public' and i.table_name = c.relname and i.column_name = 'account_id') as scoped,
        c.relrowsecurity as secured,
        (select count(*)::int from pg_policies p where p.tablename = c.relname) as policies,
        has_table_privilege('agentopia_app', c.oid, 'select') as readable
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`),
  )
  expect(rows.length).toBeGreaterThan(10)
  for (const { table, scoped, secured, policies, readable } of rows)
    expect({ table, secured, policies, readable }).toEqual({
      table,
      secured: scoped,
      policies: scoped ? 1 : 0,
      readable: scoped,
    })
})
