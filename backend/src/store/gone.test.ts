import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deleteAgent, getAgentRow, grantAccess } from '../agents/agent.store.ts'
import { deleteToolbeltItem, getToolbeltView, setAllowed } from '../agents/toolbelt.store.ts'
import { furnishedAccount, openTestControlPlane, type TestControlPlane } from '../control-plane.testing.ts'
import { problemOfGone } from './gone.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

test('who writes of what goes in that moment is told that it is not there, and nothing is written', async () => {
  const { accountId, ids } = await furnishedAccount(plane, 'admin')
  const allowing = plane.store.tenant(accountId, async (tx) => {
    const item = await getToolbeltView(tx, ids.agentId, ids.toolbeltItemId)
    await plane.store.system((other) => deleteToolbeltItem(other, item.id))
    await setAllowed(tx, accountId, item.id, ['echo'])
  })
  await expect(allowing).rejects.toMatchObject({ code: 'toolbelt-item-not-found' })
  const granting = plane.store.tenant(accountId, async (tx) => {
    const agent = await getAgentRow(tx, ids.agentId)
    await plane.store.system((other) => deleteAgent(other, agent.id))
    await grantAccess(tx, agent, ids.toolboxId)
  })
  await expect(granting).rejects.toMatchObject({ code: 'agent-not-found' })
})

test('whatever refers to a toolbox, a tool, a group, an agent or a toolbelt item is known by the name of its constraint', async () => {
  const { rows } = await plane.store.system((tx) =>
    tx.execute<{ constraint: string; parent: string }>(
      sql`select conname as constraint, confrelid::regclass::text as parent from pg_constraint where contype = 'f'`,
    ),
  )
  const problems = Map.groupBy(rows, ({ parent }) => parent)
  const codesOf = (parent: string) =>
    new Set(
      problems
        .get(parent)
        ?.map(({ constraint }) => problemOfGone(Object.assign(new Error(), { code: '23503', constraint }))?.code),
    )
  expect([...codesOf('agents')]).toEqual(['agent-not-found'])
  expect([...codesOf('agent_toolbelt_items')]).toEqual(['toolbelt-item-not-found'])
  expect([...codesOf('account_tool_instances')]).toEqual(['instance-not-found'])
  expect([...codesOf('account_tool_groups')]).toEqual(['group-not-found'])
  expect([...codesOf('account_tool_environments')]).toEqual(['toolbox-not-found'])
})
