import { getTableName } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { createSealer, keyIdIn } from '../store/seal.ts'
import { openTestStore } from '../store/testing.ts'
import { canaryOf, furnishSealed, newKey, openEverything, STORED } from './sealed.testing.ts'
import { SEALED_AT, SEALED_COLUMNS } from './sealed-columns.ts'

const key = newKey()
const sealer = createSealer(key)
let store: Store
beforeAll(async () => {
  store = await openTestStore()
  await furnishSealed(store, sealer)
})
afterAll(() => store[Symbol.asyncDispose]())

test('of every purpose it is known where its texts lie, or why the master key is no matter of theirs', () => {
  expect(SEALED_COLUMNS).toHaveLength(STORED.length)
  for (const [purpose, place] of Object.entries(SEALED_AT))
    if (typeof place === 'string') expect([purpose, place.length > 20]).toEqual([purpose, true])
    else expect([purpose, place.key.map(({ dataType }) => dataType)]).toEqual([purpose, place.key.map(() => 'string')])
})

test('what their owners seal opens for what is known of their rows', async () => {
  const { opened, failed } = await openEverything(store, sealer)
  expect(failed).toEqual([])
  for (const purpose of STORED.filter((one) => one !== 'account-key'))
    expect([purpose, opened.get(purpose)]).toEqual([purpose, [canaryOf(purpose)]])
  expect(opened.get('account-key')).toHaveLength(1)
})

test('no column holds a text that the master key seals but those that are known', async () => {
  const known = SEALED_COLUMNS.map(({ table, column }) => `${getTableName(table)}.${column.name}`)
  const found = await store.system(async (tx) => {
    const columns = await tx.execute<{ table: string; column: string }>(
      `select table_name as table, column_name as column from information_schema.columns where table_schema = 'public'`,
    )
    const holding: string[] = []
    for (const { table, column } of columns.rows) {
      const { rows } = await tx.execute<{ text: string }>(
        `select "${column}"::text as text from "${table}" where "${column}"::text like '%v1.________.%' limit 1`,
      )
      if (rows[0] && keyIdIn(rows[0].text) === sealer.keyId) holding.push(`${table}.${column}`)
    }
    return holding
  })
  expect(found.sort()).toEqual(known.sort())
})
