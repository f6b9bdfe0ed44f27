import type { Capability } from '@agentopia/dtma/contract'
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import { cleanText } from '../gateway/clean-text.ts'
import type { Tx } from '../store/connect.ts'
import { agentOffers, agentTools, instances, toolbeltItems } from '../store/schema/index.ts'
import type { InstanceRow } from './instance.store.ts'
import { offeredToAny, offerOfItem } from './offered.ts'
import { type Blocked, blockedOf, pinAtFirstSight } from './pin.store.ts'

/*
 * What a server offers is the instance's where all agents share its container, and each agent's where each has its own. An
 * instance has one or the other: what was known of the one is dropped, or handed over, when it becomes the other.
 */

/** What a server said when it was asked. */
interface Offer {
  readonly capabilities: Capability[]
  readonly digest: string
}

/** What an instance offers, with no agent in question: to all, or to any of those that have containers of their own. */
export async function offerOfInstance(tx: Tx, { id, capabilities }: InstanceRow): Promise<Capability[]> {
  if (capabilities) return capabilities
  const [row] = await tx.select({ any: offeredToAny }).from(instances).where(eq(instances.id, id))
  return row?.any ?? []
}

/** How many capabilities that are, of instances that agents do not share; those of which nothing is known are left out. */
export async function countOffered(tx: Tx, rows: readonly InstanceRow[]): Promise<ReadonlyMap<string, number>> {
  const ids = rows.filter(({ capabilities }) => !capabilities).map(({ id }) => id)
  if (ids.length === 0) return new Map()
  const counted = await tx
    .select({ id: instances.id, count: sql<number>`count(distinct one->>'name')::int` })
    .from(agentOffers)
    .innerJoin(toolbeltItems, eq(toolbeltItems.id, agentOffers.toolbeltItemId))
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .innerJoin(sql`lateral jsonb_array_elements(${agentOffers.capabilities}) one`, sql`true`)
    .where(inArray(instances.id, ids))
    .groupBy(instances.id)
  return new Map(counted.map(({ id, count }) => [id, count]))
}

/**
 * Stores what the container offers that all agents share. What was allowed before it was offered is pinned; what is pinned to something
 * else is told once.
 * @param same Is the instance still the one that was asked?
 */
export async function storeOffer(tx: Tx, instance: InstanceRow, same: SQL, offer: Offer): Promise<void> {
  const ofInstance = eq(instances.id, instance.id)
  await pinAtFirstSight(tx, ofInstance)
  await tx.update(instances).set({ capabilities: offer.capabilities, capabilityDigest: offer.digest }).where(same)
  await tx
    .delete(agentOffers)
    .where(
      inArray(
        agentOffers.toolbeltItemId,
        tx.select({ id: toolbeltItems.id }).from(toolbeltItems).where(eq(toolbeltItems.instanceId, instance.id)),
      ),
    )
  await pinAtFirstSight(tx, ofInstance)
  const agents = (blocked: readonly Blocked[]) => Math.max(...blocked.map((one) => one.agents))
  await tellBlocked(tx, instance, ofInstance, { before: instance.capabilities, now: offer }, (blocked) =>
    agents(blocked) === 1 ? '1 agent' : `${agents(blocked)} agents`,
  )
}

/** Whose own container was asked. */
export interface AskedAgent {
  readonly name: string
  readonly itemId: string
}

/** Stores what an agent's own container offers. Its item may be gone since, or the instance be another: then it is not stored. */
export async function storeAgentOffer(
  tx: Tx,
  instance: InstanceRow,
  { name, itemId }: AskedAgent,
  { capabilities, digest }: Offer,
): Promise<void> {
  const [item] = await tx
    .select({ before: agentOffers.capabilities })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .leftJoin(agentOffers, offerOfItem)
    .where(and(eq(toolbeltItems.id, itemId), eq(instances.generation, instance.generation)))
    .for('update', { of: toolbeltItems })
  if (!item) return
  const ofItem = eq(toolbeltItems.id, itemId)
  await pinAtFirstSight(tx, ofItem)
  const row = { toolbeltItemId: itemId, accountId: instance.accountId, capabilities, digest, askedAt: sql`now()` }
  await tx.insert(agentOffers).values(row).onConflictDoUpdate({ target: agentOffers.toolbeltItemId, set: row })
  await pinAtFirstSight(tx, ofItem)
  await tellBlocked(tx, instance, ofItem, { before: item.before, now: { capabilities, digest } }, () => name)
}

/**
 * Agents do not share the container any more: what it offered is what each of them was offered last. Their own are asked anew as soon
 * as they run.
 * @param held See `heldBy`.
 */
export async function handOverOffer(tx: Tx, { id }: InstanceRow, held: SQL): Promise<void> {
  const [instance] = await tx.select().from(instances).where(held).for('update')
  const { capabilities, capabilityDigest: digest } = instance ?? {}
  if (!capabilities || !digest) return
  await pinAtFirstSight(tx, eq(instances.id, id))
  const items = await tx
    .select({ toolbeltItemId: toolbeltItems.id, accountId: toolbeltItems.accountId })
    .from(toolbeltItems)
    .where(eq(toolbeltItems.instanceId, id))
    .for('update')
  const rows = items.map((item) => ({ ...item, capabilities, digest }))
  if (rows.length > 0) await tx.insert(agentOffers).values(rows).onConflictDoNothing()
  await tx.update(instances).set({ capabilities: null, capabilityDigest: null }).where(held)
  await tx.update(agentTools).set({ welcomedGeneration: 0 }).where(eq(agentTools.instanceId, id))
}

async function tellBlocked(
  tx: Tx,
  { id, accountId, toolboxId, name }: InstanceRow,
  of: SQL,
  { before, now }: { readonly before: readonly Capability[] | null; readonly now: Offer },
  forWhom: (blocked: readonly Blocked[]) => string,
): Promise<void> {
  const known = new Map(before?.map((one) => [one.name, one.digest]))
  const changed = now.capabilities.filter((one) => known.get(one.name) !== one.digest).map((one) => one.name)
  const blocked = changed.length === 0 ? [] : await blockedOf(tx, of, changed)
  if (blocked.length === 0) return
  const names = blocked.map((one) => cleanText(one.capability)).join(', ')
  const message = `${name} describes otherwise than it did, and is blocked until approved for ${forWhom(blocked)}: ${names}`
  await recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: 'instance.capabilities-changed',
    subject: id,
    toolboxId,
    message,
  })
}
