import type { SecretField } from '@agentopia/api'
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Catalog } from '../catalog/catalog.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import type { Tx } from '../store/connect.ts'
import {
  agentOffers,
  agents,
  agentToolboxAccess,
  agentTools,
  credentials,
  instances,
  toolbeltItems,
  toolboxes,
} from '../store/schema/index.ts'
import type { AskedAgent } from '../tools/offer.store.ts'
import { offerOfItem } from '../tools/offered.ts'
import { secretsVersionOf } from './credential.values.ts'

type AgentToolRow = typeof agentTools.$inferSelect

/** Name of an agent's own container on the toolbox. Made of who calls and what is called, and of nothing else. */
export const agentToolNameOf = (instanceId: string, agentId: string): string => `${instanceId}-${agentId}`

type Wish = Pick<AgentToolRow, 'accountId' | 'toolboxId' | 'instanceId' | 'agentId'>

/** Says that it is wanted now. From here on there may be a container. */
export async function wantAgentTool(tx: Tx, wish: Wish): Promise<string> {
  const id = agentToolNameOf(wish.instanceId, wish.agentId)
  const { accountId, toolboxId, instanceId, agentId } = wish
  await tx
    .insert(agentTools)
    .values({ id, accountId, toolboxId, instanceId, agentId, lastUsedAt: sql`now()` })
    .onConflictDoUpdate({ target: agentTools.id, set: { lastUsedAt: sql`now()` } })
  return id
}

/** Everything that is known of one agent tool, read at one moment. */
export interface FoundAgentTool {
  readonly row: AgentToolRow
  readonly toolbox: typeof toolboxes.$inferSelect
  readonly instance: typeof instances.$inferSelect | undefined
  readonly credential: typeof credentials.$inferSelect | undefined
  readonly fields: readonly SecretField[]
  /** Who has it. `undefined`: the agent no longer has the tool. */
  readonly agent: AskedAgent | undefined
  /** Digest of what its server offers, as it is known. */
  readonly offerDigest: string | undefined
  /** Whether the agent has the tool at all, and may use it now. */
  readonly held: boolean
  readonly usable: boolean
  /** Since it was wanted last, by the database's clock. */
  readonly idleMs: number
  /** Of the values that it is to run with. */
  readonly secretsVersion: string | undefined
}

export async function findAgentTool(tx: Tx, name: string, catalog: Catalog): Promise<FoundAgentTool | undefined> {
  const [found] = await tx
    .select({
      row: agentTools,
      toolbox: toolboxes,
      instance: instances,
      credential: credentials,
      item: { id: toolbeltItems.id, enabled: toolbeltItems.enabled },
      agent: { name: agents.name, enabled: agents.enabled },
      offerDigest: agentOffers.digest,
      access: agentToolboxAccess.agentId,
      idleMs: sql<number>`extract(epoch from now() - ${agentTools.lastUsedAt}) * 1000`.mapWith(Number),
    })
    .from(agentTools)
    .innerJoin(toolboxes, eq(toolboxes.id, agentTools.toolboxId))
    .leftJoin(instances, eq(instances.id, agentTools.instanceId))
    .leftJoin(
      toolbeltItems,
      and(eq(toolbeltItems.instanceId, agentTools.instanceId), eq(toolbeltItems.agentId, agentTools.agentId)),
    )
    .leftJoin(agents, eq(agents.id, agentTools.agentId))
    .leftJoin(
      agentToolboxAccess,
      and(eq(agentToolboxAccess.agentId, agentTools.agentId), eq(agentToolboxAccess.toolboxId, agentTools.toolboxId)),
    )
    .leftJoin(credentials, eq(credentials.toolbeltItemId, toolbeltItems.id))
    .leftJoin(agentOffers, offerOfItem)
    .where(eq(agentTools.id, name))
  if (!found) return undefined
  const { row, toolbox, idleMs } = found
  const instance = found.instance ?? undefined
  const credential = found.credential ?? undefined
  const fields = (instance && findRecipe(catalog, instance)?.secrets) ?? []
  const held = found.item !== null && instance !== undefined && instance.desired !== 'absent' && fields.length > 0
  const usable = held && found.item!.enabled && found.agent?.enabled === true && found.access !== null
  return {
    row,
    toolbox,
    instance,
    credential,
    fields,
    agent: found.item && found.agent ? { itemId: found.item.id, name: found.agent.name } : undefined,
    offerDigest: found.offerDigest ?? undefined,
    held,
    usable: usable && instance.desired === 'running',
    idleMs,
    secretsVersion: held ? secretsVersionOf(fields, credential) : undefined,
  }
}

export const clearAgentToolStatus = (tx: Tx, name: string) =>
  tx.update(agentTools).set({ status: null }).where(eq(agentTools.id, name))

/** All of them, or those of some toolboxes or an account. */
export const listAgentToolNames = async (
  tx: Tx,
  of: { readonly toolboxIds?: readonly string[]; readonly accountId?: string } = {},
): Promise<string[]> =>
  (
    await tx
      .select({ id: agentTools.id })
      .from(agentTools)
      .where(
        and(
          of.toolboxIds && inArray(agentTools.toolboxId, [...of.toolboxIds]),
          of.accountId === undefined ? undefined : eq(agentTools.accountId, of.accountId),
        ),
      )
  ).map(({ id }) => id)
