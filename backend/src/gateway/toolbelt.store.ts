import { isAsked, type PayloadRule, type SecretPolicy } from '@agentopia/api'
import { and, eq, sql } from 'drizzle-orm'
import type { Catalog } from '../catalog/catalog.ts'
import { readPayloadRules, ruleFor } from '../payloads/payload.store.ts'
import type { Tx } from '../store/connect.ts'
import {
  agentOffers,
  agents,
  agentToolboxAccess,
  agentTools,
  callSettings,
  capabilityPermissions,
  instances,
  toolbeltItems,
  toolboxes,
} from '../store/schema/index.ts'
import { offered, offerOfItem } from '../tools/offered.ts'
import { pinAtFirstSight } from '../tools/pin.store.ts'
import type { Toolbelt } from './authorise.ts'
import { specDigestOf } from './spec-digest.ts'

/** Everything that decides about one agent's calls, read at one moment. `undefined`: no such agent. */
export async function readToolbelt(tx: Tx, agentId: string, catalog: Catalog): Promise<Toolbelt | undefined> {
  const [agent] = await tx
    .select({
      id: agents.id,
      accountId: agents.accountId,
      name: agents.name,
      enabled: agents.enabled,
      accountEnabled: sql<boolean>`coalesce(${callSettings.enabled}, true)`,
      limits: agents.limits,
      secrets: sql<SecretPolicy>`coalesce(${callSettings.secrets}, 'redact')`,
    })
    .from(agents)
    .leftJoin(callSettings, eq(callSettings.accountId, agents.accountId))
    .where(eq(agents.id, agentId))
  if (!agent) return undefined
  await pinAtFirstSight(tx, eq(toolbeltItems.agentId, agentId))
  const rows = await tx
    .select({
      id: toolbeltItems.id,
      enabled: toolbeltItems.enabled,
      prompts: toolbeltItems.prompts,
      resources: toolbeltItems.resources,
      plainNames: toolbeltItems.plainNames,
      askPatterns: toolbeltItems.askPatterns,
      toolboxAccess: sql<boolean>`${agentToolboxAccess.agentId} is not null`,
      allowed: sql<Record<string, { digest: string | null; ask: boolean | null }>>`(
        select coalesce(jsonb_object_agg(${capabilityPermissions.capability},
          jsonb_build_object('digest', ${capabilityPermissions.pinned}->'digest', 'ask', ${capabilityPermissions.ask})), '{}')
        from ${capabilityPermissions} where ${capabilityPermissions.toolbeltItemId} = ${toolbeltItems.id})`,
      instance: {
        id: instances.id,
        name: instances.name,
        desired: instances.desired,
        generation: instances.generation,
        capabilities: offered,
      },
      deployed: {
        toolId: instances.toolId,
        recipe: instances.recipe,
        config: instances.config,
        sharedImage: sql<string | null>`${instances.status}->'container'->>'image'`,
        ownImage: sql<string | null>`${agentTools.status}->'container'->>'image'`,
      },
      toolbox: {
        id: toolboxes.id,
        accountId: toolboxes.accountId,
        backendToDtmaApiKey: toolboxes.backendToDtmaApiKey,
        direct: toolboxes.direct,
        publicIpAddress: toolboxes.publicIpAddress,
        publicKey: toolboxes.publicKey,
      },
    })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .innerJoin(toolboxes, eq(toolboxes.id, instances.toolboxId))
    .leftJoin(agentOffers, offerOfItem)
    .leftJoin(agentTools, and(eq(agentTools.instanceId, instances.id), eq(agentTools.agentId, toolbeltItems.agentId)))
    .leftJoin(
      agentToolboxAccess,
      and(eq(agentToolboxAccess.agentId, toolbeltItems.agentId), eq(agentToolboxAccess.toolboxId, instances.toolboxId)),
    )
    .where(eq(toolbeltItems.agentId, agentId))
    .orderBy(instances.name, toolbeltItems.id)
  const rules = await readPayloadRules(tx)
  return {
    agent,
    items: rows.map(({ allowed: given, askPatterns, instance, deployed, toolbox, ...item }) => {
      const allowed = Object.entries(given)
      return {
        ...item,
        allowed: new Map(allowed.map(([name, { digest }]) => [name, digest])),
        asked: new Set(allowed.flatMap(([name, { ask }]) => (isAsked(name, ask, askPatterns) ? [name] : []))),
        instance: {
          ...instance,
          specDigest: specDigestOf(catalog, deployed),
          capabilities: instance.capabilities ?? [],
          ...keeping(ruleFor(rules, instance.id)),
          toolbox,
        },
      }
    }),
  }
}

const keeping = (payloads: PayloadRule | undefined) => (payloads ? { payloads } : {})
