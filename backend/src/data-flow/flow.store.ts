import type { DataFlow, FlowLabel } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import { and, asc, eq, sql } from 'drizzle-orm'
import type { Catalog } from '../catalog/catalog.ts'
import { toolOf } from '../catalog/recipe.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import type { Tx } from '../store/connect.ts'
import {
  agentOffers,
  agentToolboxAccess,
  capabilityPermissions,
  flowLabels,
  instances,
  toolbeltItems,
} from '../store/schema/index.ts'
import { expected, offerKind, offerOfItem } from '../tools/offered.ts'
import { dataFlowOf } from './agent-flow.ts'
import type { FlowFacts } from './flow-labels.ts'

type Said = Readonly<Record<string, readonly FlowLabel[]>>

const saidOf = sql<Said>`(
  select coalesce(jsonb_object_agg(${flowLabels.capability}, ${flowLabels.labels}), '{}')
  from ${flowLabels} where ${flowLabels.instanceId} = ${instances.id})`

export function factsOf(catalog: Catalog, instance: Parameters<typeof findRecipe>[1], said: Said): FlowFacts {
  const recipe = findRecipe(catalog, instance)
  return { tool: recipe && toolOf(recipe), flow: recipe?.flow, said: new Map(Object.entries(said)) }
}

/** By what an agent reaches which data, as it is now. */
export async function readDataFlow(tx: Tx, agentId: string, catalog: Catalog): Promise<DataFlow> {
  const rows = await tx
    .select({
      item: toolbeltItems,
      access: sql<boolean>`${agentToolboxAccess.agentId} is not null`,
      instance: { name: instances.name, toolId: instances.toolId, recipe: instances.recipe },
      // Before its own container was asked an agent is warned of what others are offered.
      capabilities: expected,
      offer: offerKind,
      allowed: sql<Readonly<Record<string, Capability | null>>>`(
        select coalesce(jsonb_object_agg(${capabilityPermissions.capability}, ${capabilityPermissions.pinned}), '{}')
        from ${capabilityPermissions} where ${capabilityPermissions.toolbeltItemId} = ${toolbeltItems.id})`,
      said: saidOf,
    })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .leftJoin(agentOffers, offerOfItem)
    .leftJoin(
      agentToolboxAccess,
      and(eq(agentToolboxAccess.agentId, toolbeltItems.agentId), eq(agentToolboxAccess.toolboxId, instances.toolboxId)),
    )
    .where(eq(toolbeltItems.agentId, agentId))
    .orderBy(asc(instances.name), asc(toolbeltItems.id))
  return dataFlowOf(
    rows.map(({ item, access, instance, capabilities, offer, allowed, said }) => ({
      instanceName: instance.name,
      plainNames: item.plainNames,
      usable: item.enabled && access,
      allowed: new Map(Object.entries(allowed)),
      prompts: item.prompts,
      resources: item.resources,
      known: offer !== 'awaited',
      capabilities: capabilities ?? [],
      facts: factsOf(catalog, instance, said),
    })),
  )
}

export async function readFlowLabels(tx: Tx, instanceId: string): Promise<Said> {
  const [row] = await tx.select({ said: saidOf }).from(instances).where(eq(instances.id, instanceId))
  return row?.said ?? {}
}

/** @param labels `null`: nobody says anything of it any more. */
export async function storeFlowLabels(
  tx: Tx,
  { accountId, instanceId, capability }: Omit<typeof flowLabels.$inferSelect, 'labels'>,
  labels: readonly FlowLabel[] | null,
): Promise<void> {
  const { instanceId: of, capability: which } = flowLabels
  if (labels === null) return void (await tx.delete(flowLabels).where(and(eq(of, instanceId), eq(which, capability))))
  const said = { labels: [...new Set(labels)] }
  await tx
    .insert(flowLabels)
    .values({ accountId, instanceId, capability, ...said })
    .onConflictDoUpdate({ target: [of, which], set: said })
}
