import { and, eq, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import {
  agents,
  agentToolboxAccess,
  capabilityPermissions,
  instances,
  toolbeltItems,
  toolboxes,
} from '../store/schema/index.ts'
import type { Toolbelt } from './authorise.ts'

/** Everything that decides about one agent's calls, read at one moment. `undefined`: no such agent. */
export async function readToolbelt(tx: Tx, agentId: string): Promise<Toolbelt | undefined> {
  const [agent] = await tx
    .select({ id: agents.id, accountId: agents.accountId, name: agents.name, enabled: agents.enabled })
    .from(agents)
    .where(eq(agents.id, agentId))
  if (!agent) return undefined
  const rows = await tx
    .select({
      id: toolbeltItems.id,
      enabled: toolbeltItems.enabled,
      prompts: toolbeltItems.prompts,
      resources: toolbeltItems.resources,
      plainNames: toolbeltItems.plainNames,
      toolboxAccess: sql<boolean>`${agentToolboxAccess.agentId} is not null`,
      allowed: sql<string[]>`array(
        select ${capabilityPermissions.capability} from ${capabilityPermissions}
        where ${capabilityPermissions.toolbeltItemId} = ${toolbeltItems.id})`,
      instance: {
        id: instances.id,
        name: instances.name,
        desired: instances.desired,
        capabilities: instances.capabilities,
      },
      toolbox: { id: toolboxes.id, accountId: toolboxes.accountId, backendToDtmaApiKey: toolboxes.backendToDtmaApiKey },
    })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .innerJoin(toolboxes, eq(toolboxes.id, instances.toolboxId))
    .leftJoin(
      agentToolboxAccess,
      and(eq(agentToolboxAccess.agentId, toolbeltItems.agentId), eq(agentToolboxAccess.toolboxId, instances.toolboxId)),
    )
    .where(eq(toolbeltItems.agentId, agentId))
    .orderBy(instances.name, toolbeltItems.id)
  return {
    agent,
    items: rows.map(({ allowed, instance, toolbox, ...item }) => ({
      ...item,
      allowed: new Set(allowed),
      instance: { ...instance, capabilities: instance.capabilities ?? [], toolbox },
    })),
  }
}
