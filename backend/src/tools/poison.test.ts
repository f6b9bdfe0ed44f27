import { type Client, putTool } from '@agentopia/dtma/contract'
import { sql } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCatalog } from '../catalog/catalog.ts'
import { newId } from '../new-id.ts'
import { runLoop } from '../reconcile/loop.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { instances } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { instanceReconciler } from './instance.reconciler.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

/** What no code of ours would have written. */
const NONSENSE = [
  `status = '"a text"'`,
  `status = '{"generation":"seven"}'`,
  `status = '[]'`,
  `config = '[1,2]'`,
  `config = '"a text"'`,
  `tool_id = 'no-such-tool'`,
]

test('R11 rows that hold nonsense stop nobody but themselves, and are tried ever more seldom', async () => {
  const toolbox = await insertToolbox(store, { accountId: 'account_1', status: 'active' })
  const insert = async (name: string) => {
    const id = newId('inst')
    const row = { id, accountId: 'account_1', toolboxId: toolbox.id, toolId: 'everything', name, config: {} }
    await store.system((tx) => tx.insert(instances).values({ ...row, desired: 'running' }))
    return id
  }
  const poisoned: string[] = []
  for (const [n, nonsense] of NONSENSE.entries()) {
    const id = await insert(`poison-${n}`)
    await store.system((tx) => tx.execute(sql`update account_tool_instances set ${sql.raw(nonsense)} where id = ${id}`))
    poisoned.push(id)
  }
  const sound = await Promise.all(['one', 'two', 'three', 'four'].map(insert))

  const put: string[] = []
  const client = {
    call: async (operation: unknown, input: { params: { name: string }; body: { generation: number } }) => {
      expect(operation).toBe(putTool)
      put.push(input.params.name)
      return { name: input.params.name, generation: input.body.generation, desired: 'running', state: 'starting' }
    },
  } as unknown as Client
  const clock = manualClock()
  const stop = new AbortController()
  const failures: string[] = []
  const log = pino(
    { level: 'error' },
    { write: (line: string) => void failures.push((JSON.parse(line) as { key: string }).key) },
  )
  const reconciler = instanceReconciler({ store, catalog: createCatalog(), clientOf: () => client, owner: 'replica' })
  const loop = runLoop(reconciler, { signal: stop.signal, clock, log, random: () => 1 })
  await expect
    .poll(
      async () => {
        await clock.advance(100)
        return sound.filter((id) => !put.includes(id))
      },
      { timeout: 10_000 },
    )
    .toEqual([])
  for (let n = 0; n < 60; n += 1) {
    await clock.advance(5_000)
    await store.system((tx) => tx.execute('select 1'))
  }
  stop.abort()
  await loop.stopped
  expect(failures.filter((key) => sound.includes(key))).toEqual([])
  expect(failures.length).toBeGreaterThan(0) // some of it is poison indeed
  for (const id of poisoned) expect(put.filter((one) => one === id).length).toBeLessThan(20)
})
