import type { ToolStatus } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { agentTools, instances } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { applyToolReports } from './instance.report.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const status = (name: string, generation = 1): ToolStatus => ({
  name,
  generation,
  desired: 'running',
  state: 'running',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
})

/** A toolbox with a shared tool, and the own container that an agent has of another. */
async function toolbox() {
  const accountId = 'account-a'
  const { id: toolboxId } = await insertToolbox(store, { accountId })
  const id = newId('inst')
  const agentId = newId('agent')
  const own = `${id}-${agentId}`
  await store.system(async (tx) => {
    const instance = {
      id,
      accountId,
      toolboxId,
      toolId: 'everything',
      name: id,
      desired: 'running',
      config: {},
    } as const
    await tx.insert(instances).values(instance)
    await tx
      .insert(agentTools)
      .values({ id: own, accountId, toolboxId, instanceId: id, agentId, lastUsedAt: new Date() })
  })
  return {
    toolboxId,
    names: [id, own] as const,
    report: (...tools: readonly ToolStatus[]) => store.system((tx) => applyToolReports(tx, [{ toolboxId, tools }])),
    /** Generations that are known of both; `undefined`: it is not there. */
    known: () =>
      store.system(async (tx) => {
        const [shared] = await tx.select().from(instances).where(eq(instances.id, id))
        const [ofAgent] = await tx.select().from(agentTools).where(eq(agentTools.id, own))
        return [shared, ofAgent].map((row) => row?.status?.generation)
      }),
  }
}

test('shared tools and those that agents have of their own are as the report says', async () => {
  const { names, report, known } = await toolbox()
  await report(status(names[0], 2), status(names[1], 3))
  expect(await known()).toEqual([2, 3])
})

test('what a report does not name is not there', async () => {
  const { names, report, known } = await toolbox()
  await report(...names.map((name) => status(name)))
  await report(status(names[1]))
  expect(await known()).toEqual([undefined, 1])
  await report()
  expect(await known()).toEqual([undefined, undefined])
})

test('a report of an earlier generation than the last one is ignored', async () => {
  const { names, report, known } = await toolbox()
  await report(...names.map((name) => status(name, 5)))
  await report(...names.map((name) => status(name, 4)))
  expect(await known()).toEqual([5, 5])
})

test('another toolbox says nothing about them, whether it names them or not', async () => {
  const mine = await toolbox()
  const others = await toolbox()
  await mine.report(...mine.names.map((name) => status(name)))
  await others.report(...mine.names.map((name) => status(name, 9)))
  await others.report()
  expect(await mine.known()).toEqual([1, 1])
})
