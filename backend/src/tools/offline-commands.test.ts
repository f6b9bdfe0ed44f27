import { type Client, deleteTool, putTool, type ToolStatus } from '@agentopia/dtma/contract'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCatalog } from '../catalog/catalog.ts'
import { openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { instances, toolboxes } from '../store/schema/index.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { instanceReconciler } from './instance.reconciler.ts'

/** In every run of the tests; `OFFLINE_COMMANDS=10000` sends as many as the case asks for. */
const COMMANDS = Number(process.env['OFFLINE_COMMANDS'] ?? 500)
/** People who click at once. */
const AT_ONCE = 8
const signal = new AbortController().signal
let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

/** Rows of each table; what a deed leaves on record is not counted, since that is what the record is for. */
async function rowsOfTables(): Promise<Readonly<Record<string, number>>> {
  const { store } = plane
  const { rows } = await store.system((tx) =>
    tx.execute<{ tablename: string }>(
      sql`select tablename from pg_tables where schemaname = 'public' and tablename <> 'activities'`,
    ),
  )
  const counts: Record<string, number> = {}
  for (const { tablename } of rows) {
    const counted = await store.system((tx) =>
      tx.execute<{ rows: number }>(sql`select count(*)::int as rows from ${sql.identifier(tablename)}`),
    )
    counts[tablename] = counted.rows[0]!.rows
  }
  return counts
}

test('C13: hundreds of commands, or ten thousand, for a toolbox that is away are one row and, when it is back, one request', async () => {
  const { store } = plane
  const { userId: _, ...as } = await signedIn(plane, 'account_1', 'operator')
  const toolbox = await insertToolbox(store, { accountId: 'account_1', status: 'unresponsive' })
  const base = `/api/toolboxes/${toolbox.id}/tools`
  const made = await plane.send('POST', base, as, { toolId: 'everything', name: 'demo', config: {} })
  const { id } = (await made.json()) as { id: string }
  const find = async () => (await store.system((tx) => tx.select().from(instances).where(eq(instances.id, id))))[0]!
  const before = await rowsOfTables()

  const refused: number[] = []
  let left = COMMANDS - 1
  const click = async () => {
    while (left > 0) {
      const verb = ['restart', 'stop', 'start'][left % 3]!
      left -= 1
      const { status } = await plane.request('POST', `${base}/${id}/${verb}`, as)
      if (status >= 400) refused.push(status)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, click))
  const last = await plane.request('POST', `${base}/${id}/stop`, as)
  expect(last.ok).toBe(true)
  expect(refused).toEqual([])

  expect(await rowsOfTables()).toEqual(before)
  const row = await find()
  expect(row).toMatchObject({ desired: 'stopped', status: null })
  expect(row.generation).toBeGreaterThan(COMMANDS / 3)

  // It is back: another replica finds one thing to say.
  await plane.end()
  await store.system((tx) => tx.update(toolboxes).set({ status: 'active' }).where(eq(toolboxes.id, toolbox.id)))
  const asked: unknown[] = []
  const client = {
    async call(operation: unknown, { params, body }: { params: { name: string }; body: { generation: number } }) {
      asked.push([operation === putTool ? 'put' : operation === deleteTool ? 'delete' : 'other', body])
      const observed = { name: params.name, generation: body.generation, desired: 'stopped', state: 'none' } as const
      return { ...observed, since: new Date().toISOString(), restarts: 0 } satisfies ToolStatus
    },
  } as unknown as Client
  const reconciler = instanceReconciler({ store, catalog: createCatalog(), clientOf: () => client, owner: 'another' })
  for (let step = 0; step < 3; step += 1) await reconciler.reconcile(id, signal)
  expect(asked).toEqual([['put', expect.objectContaining({ generation: row.generation, desired: 'stopped' })]])
}, 900_000)
