import { isAsked, problem, type ToolbeltItem } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import { and, asc, eq, notInArray, sql } from 'drizzle-orm'
import { cleanText } from '../gateway/clean-text.ts'
import { gatewayNameOf } from '../gateway/names.ts'
import type { Tx } from '../store/connect.ts'
import { agentOffers, agents, capabilityPermissions, instances, toolbeltItems } from '../store/schema/index.ts'
import { expected, offerKind, offerOfItem } from '../tools/offered.ts'
import { pinAsShown } from '../tools/pin.store.ts'

type ItemRow = typeof toolbeltItems.$inferSelect
/** What is allowed, as it was pinned (`null`: not offered so far), and what was said of asking for it. */
type Allowed = Readonly<Record<string, { readonly pinned: Capability | null; readonly ask: boolean | null }>>

export const listToolbeltViews = (tx: Tx, agentId: string): Promise<ToolbeltItem[]> => selectViews(tx, agentId)

/** @throws {ProblemError} `toolbelt-item-not-found`. */
export async function getToolbeltView(tx: Tx, agentId: string, itemId: string): Promise<ToolbeltItem> {
  const [found] = await selectViews(tx, agentId, itemId)
  if (!found) throw problem('toolbelt-item-not-found', `The agent has no toolbelt item ${itemId}`)
  return found
}

async function selectViews(tx: Tx, agentId: string, itemId?: string): Promise<ToolbeltItem[]> {
  const rows = await tx
    .select({
      item: toolbeltItems,
      instance: {
        id: instances.id,
        name: instances.name,
        toolboxId: instances.toolboxId,
        toolId: instances.toolId,
      },
      capabilities: expected,
      offer: offerKind,
      allowed: sql<Allowed>`(
        select coalesce(jsonb_object_agg(${capabilityPermissions.capability},
          jsonb_build_object('pinned', ${capabilityPermissions.pinned}, 'ask', ${capabilityPermissions.ask})), '{}')
        from ${capabilityPermissions} where ${capabilityPermissions.toolbeltItemId} = ${toolbeltItems.id})`,
    })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .leftJoin(agentOffers, offerOfItem)
    .where(and(eq(toolbeltItems.agentId, agentId), itemId === undefined ? undefined : eq(toolbeltItems.id, itemId)))
    .orderBy(asc(instances.name), asc(toolbeltItems.id))
  return rows.map(({ item, instance, capabilities, offer, allowed }) => ({
    id: item.id,
    agentId: item.agentId,
    instanceId: instance.id,
    instanceName: instance.name,
    toolboxId: instance.toolboxId,
    toolId: instance.toolId,
    enabled: item.enabled,
    prompts: item.prompts,
    resources: item.resources,
    plainNames: item.plainNames,
    askPatterns: item.askPatterns,
    offer,
    permissions: permissionsOf(
      { ...item, offer },
      item.plainNames ? undefined : instance.name,
      capabilities ?? [],
      new Map(Object.entries(allowed)),
    ),
  }))
}

/** @throws {ProblemError} `toolbelt-item-not-found`. */
export async function getToolbeltOffer(tx: Tx, agentId: string, itemId: string) {
  const [found] = await tx
    .select({ offer: offerKind, capabilities: expected })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .leftJoin(agentOffers, offerOfItem)
    .where(and(eq(toolbeltItems.agentId, agentId), eq(toolbeltItems.id, itemId)))
  if (!found) throw problem('toolbelt-item-not-found', `The agent has no toolbelt item ${itemId}`)
  return { offer: found.offer, capabilities: found.capabilities ?? [] }
}

/** @throws {ProblemError} `name-taken` when the instance is in the toolbelt already, or another of its name is. */
export async function insertToolbeltItem(
  tx: Tx,
  item: Pick<ItemRow, 'id' | 'accountId' | 'agentId' | 'instanceId'>,
  instanceName: string,
): Promise<void> {
  // One at a time for each agent, so that two of a name cannot come in at once.
  await tx.select({ id: agents.id }).from(agents).where(eq(agents.id, item.agentId)).for('update')
  const [sameName] = await tx
    .select({ instanceId: toolbeltItems.instanceId })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .where(and(eq(toolbeltItems.agentId, item.agentId), eq(instances.name, instanceName)))
  if (sameName?.instanceId === item.instanceId)
    throw problem('name-taken', `${instanceName} is in the toolbelt already`)
  if (sameName)
    throw problem(
      'name-taken',
      `The toolbelt has a tool called ${instanceName}; its capabilities would have the same names`,
    )
  await tx.insert(toolbeltItems).values(item)
}

/**
 * Sets the whole list: what is not in it is denied. What comes in is pinned to what was shown of it; what stays keeps
 * its pin, so that whoever ticks another box does not approve a change by it.
 */
export async function setAllowed(
  tx: Tx,
  accountId: string,
  itemId: string,
  capabilities: readonly string[],
): Promise<void> {
  const allowed = [...new Set(capabilities)]
  const { toolbeltItemId, capability } = capabilityPermissions
  await tx
    .delete(capabilityPermissions)
    .where(and(eq(toolbeltItemId, itemId), allowed.length === 0 ? undefined : notInArray(capability, allowed)))
  const rows = allowed.map((name) => ({ accountId, toolbeltItemId: itemId, capability: name }))
  if (rows.length > 0) await tx.insert(capabilityPermissions).values(rows).onConflictDoNothing()
  await pinAsShown(tx, eq(toolbeltItems.id, itemId))
}

/**
 * Sets the whole list of what a person is asked for, of all that is allowed. What the patterns say anyhow is not noted, so that
 * it goes with them.
 */
export async function setAsked(tx: Tx, itemId: string, capabilities: readonly string[]): Promise<void> {
  const { toolbeltItemId, capability } = capabilityPermissions
  const [item] = await tx
    .select({ askPatterns: toolbeltItems.askPatterns })
    .from(toolbeltItems)
    .where(eq(toolbeltItems.id, itemId))
  const rows = await tx
    .select({ capability, ask: capabilityPermissions.ask })
    .from(capabilityPermissions)
    .where(eq(toolbeltItemId, itemId))
  const wanted = new Set(capabilities)
  for (const row of rows) {
    const asked = wanted.has(row.capability)
    const ask = asked === isAsked(row.capability, null, item?.askPatterns ?? []) ? null : asked
    if (ask !== row.ask)
      await tx
        .update(capabilityPermissions)
        .set({ ask })
        .where(and(eq(toolbeltItemId, itemId), eq(capability, row.capability)))
  }
}

/** Sets what is given. Plain names are taken from the item of the agent that had them. */
export async function setSwitches(
  tx: Tx,
  agentId: string,
  itemId: string,
  switches: Partial<Pick<ItemRow, 'enabled' | 'prompts' | 'resources' | 'plainNames' | 'askPatterns'>>,
): Promise<void> {
  if (switches.plainNames)
    await tx.update(toolbeltItems).set({ plainNames: false }).where(eq(toolbeltItems.agentId, agentId))
  // New patterns hold for all: what nobody was to be asked for was said of the old ones.
  if (switches.askPatterns)
    await tx
      .update(capabilityPermissions)
      .set({ ask: null })
      .where(and(eq(capabilityPermissions.toolbeltItemId, itemId), eq(capabilityPermissions.ask, false)))
  if (Object.keys(switches).length > 0) await tx.update(toolbeltItems).set(switches).where(eq(toolbeltItems.id, itemId))
}

export const deleteToolbeltItem = (tx: Tx, itemId: string) =>
  tx.delete(toolbeltItems).where(eq(toolbeltItems.id, itemId))

/** Everything that is offered, and then what is allowed although it is not offered (any more). */
function permissionsOf(
  { askPatterns, offer }: Pick<ItemRow & ToolbeltItem, 'askPatterns' | 'offer'>,
  instanceName: string | undefined,
  offered: readonly Capability[],
  allowed: ReadonlyMap<string, Allowed[string]>,
): ToolbeltItem['permissions'] {
  const names = new Set(offered.map(({ name }) => name))
  const asks = (name: string) => allowed.has(name) && isAsked(name, allowed.get(name)?.ask, askPatterns)
  return [
    ...offered.map((capability) => ({
      ...described(capability),
      gatewayName: gatewayNameOf(instanceName, capability.name),
      allowed: allowed.has(capability.name),
      ask: asks(capability.name),
      offered: true,
      ...(offer === 'awaited' ? {} : changeOf(allowed.get(capability.name)?.pinned, capability)),
    })),
    ...[...allowed.keys()]
      .sort()
      .filter((name) => !names.has(name))
      .map((name) => ({
        capability: name,
        gatewayName: gatewayNameOf(instanceName, name),
        allowed: true,
        ask: asks(name),
        offered: false,
      })),
  ]
}

const changeOf = (from: Capability | null | undefined, to: Capability) =>
  from && from.digest !== to.digest ? { changed: { from, to } } : {}

function described({ name, description, annotations }: Capability) {
  const { readOnlyHint, destructiveHint } = annotations ?? {}
  return {
    capability: name,
    ...(description === undefined ? {} : { description: cleanText(description) }),
    ...(typeof readOnlyHint === 'boolean' ? { readOnly: readOnlyHint } : {}),
    ...(typeof destructiveHint === 'boolean' ? { destructive: destructiveHint } : {}),
  }
}
