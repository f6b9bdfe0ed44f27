import { type Agent, problem } from '@agentopia/api'
import { and, asc, eq, getTableColumns, gt, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { isUniqueViolation } from '../store/database-error.ts'
import { agents, agentToolboxAccess, instances, toolbeltItems } from '../store/schema/index.ts'

export type AgentRow = typeof agents.$inferSelect

/** @throws {ProblemError} `agent-not-found`, also for an agent of another account. */
export async function getAgentRow(tx: Tx, agentId: string): Promise<AgentRow> {
  const [row] = await tx.select().from(agents).where(eq(agents.id, agentId))
  if (!row) throw problem('agent-not-found', `No agent has the id ${agentId}`)
  return row
}

/** Those in whose toolbelt a tool instance is, in order of name. */
export const listAgentsWith = (tx: Tx, instanceId: string): Promise<AgentRow[]> =>
  tx
    .select(getTableColumns(agents))
    .from(agents)
    .innerJoin(toolbeltItems, eq(toolbeltItems.agentId, agents.id))
    .where(eq(toolbeltItems.instanceId, instanceId))
    .orderBy(asc(agents.name))

/** In order of name; `after` is the name of the last one that is known. */
export const listAgentViews = (tx: Tx, limit: number, after = ''): Promise<Agent[]> =>
  selectViews(tx)
    .where(gt(agents.name, after))
    .orderBy(asc(agents.name))
    .limit(limit)
    .then((rows) => rows.map(viewOf))

/** @throws {ProblemError} `agent-not-found`, also for an agent of another account. */
export async function getAgentView(tx: Tx, agentId: string): Promise<Agent> {
  const [row] = await selectViews(tx).where(eq(agents.id, agentId))
  if (!row) throw problem('agent-not-found', `No agent has the id ${agentId}`)
  return viewOf(row)
}

const selectViews = (tx: Tx) =>
  tx
    .select({
      agent: agents,
      // Written out: Drizzle leaves the table out of a column's name when it selects from one table.
      toolboxIds: sql<string[]>`array(
        select a.toolbox_id from ${agentToolboxAccess} a where a.agent_id = ${agents}.id order by 1)`,
      toolbeltSize: sql<number>`(select count(*)::int from ${toolbeltItems} i where i.agent_id = ${agents}.id)`,
    })
    .from(agents)

const viewOf = ({
  agent,
  toolboxIds,
  toolbeltSize,
}: {
  readonly agent: AgentRow
  readonly toolboxIds: string[]
  readonly toolbeltSize: number
}): Agent => ({
  id: agent.id,
  name: agent.name,
  description: agent.description,
  enabled: agent.enabled,
  toolboxIds,
  toolbeltSize,
  limits: agent.limits,
  createdAt: agent.createdAt.toISOString(),
  ...(agent.lastCallAt ? { lastCallAt: agent.lastCallAt.toISOString() } : {}),
})

/** @throws {ProblemError} `name-taken`. */
export async function insertAgent(
  tx: Tx,
  agent: Pick<AgentRow, 'id' | 'accountId' | 'name' | 'description'>,
): Promise<AgentRow> {
  const [row] = await tx.insert(agents).values(agent).onConflictDoNothing().returning()
  if (!row) throw problem('name-taken', `An agent is called ${agent.name}`)
  return row
}

export type AgentChange = Partial<Pick<AgentRow, 'name' | 'description' | 'enabled' | 'limits'>>

/** @throws {ProblemError} `name-taken`. */
export async function changeAgent(tx: Tx, row: AgentRow, change: AgentChange): Promise<AgentRow> {
  if (Object.keys(change).length === 0) return row
  try {
    const [changed] = await tx.update(agents).set(change).where(eq(agents.id, row.id)).returning()
    return changed ?? row
  } catch (error) {
    throw isUniqueViolation(error) ? problem('name-taken', `An agent is called ${change.name}`) : error
  }
}

export const deleteAgent = (tx: Tx, agentId: string) => tx.delete(agents).where(eq(agents.id, agentId))

export const grantAccess = (tx: Tx, { accountId, id }: AgentRow, toolboxId: string) =>
  tx.insert(agentToolboxAccess).values({ accountId, agentId: id, toolboxId }).onConflictDoNothing()

/** Takes the toolbox away, and every toolbelt item on it. */
export async function revokeAccess(tx: Tx, agentId: string, toolboxId: string): Promise<void> {
  // In this order: what holds the access has put its item there before the items are looked for.
  await tx
    .delete(agentToolboxAccess)
    .where(and(eq(agentToolboxAccess.agentId, agentId), eq(agentToolboxAccess.toolboxId, toolboxId)))
  const onToolbox = tx.select({ id: instances.id }).from(instances).where(eq(instances.toolboxId, toolboxId))
  await tx
    .delete(toolbeltItems)
    .where(and(eq(toolbeltItems.agentId, agentId), sql`${toolbeltItems.instanceId} in ${onToolbox}`))
}

/** Holds the access until the transaction ends: an item that is put there meanwhile does not outlive it. */
export async function hasAccess(tx: Tx, agentId: string, toolboxId: string): Promise<boolean> {
  const found = await tx
    .select({ id: agentToolboxAccess.agentId })
    .from(agentToolboxAccess)
    .where(and(eq(agentToolboxAccess.agentId, agentId), eq(agentToolboxAccess.toolboxId, toolboxId)))
    .for('key share')
  return found.length > 0
}
