import { problem } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import { and, countDistinct, eq, type SQL, sql } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import { cleanText } from '../gateway/clean-text.ts'
import type { Tx } from '../store/connect.ts'
import { capabilityPermissions, instances, toolbeltItems } from '../store/schema/index.ts'
import type { InstanceRow } from './instance.store.ts'

/*
 * What is allowed to an agent is pinned: the definition that its server gave. While the server gives another one, the gateway
 * neither lists nor calls it for that agent.
 */

const { toolbeltItemId, capability, pinned } = capabilityPermissions

/**
 * Pins what is allowed and was not seen so far to what its server offers now.
 * @param of Which toolbelt items, or which instance.
 */
export const pinAtFirstSight = (tx: Tx, of: SQL) =>
  tx.execute(sql`
    update ${capabilityPermissions} set pinned = one
    from ${toolbeltItems} join ${instances} on ${instances.id} = ${toolbeltItems.instanceId}
      cross join jsonb_array_elements(coalesce(${instances.capabilities}, '[]')) one
    where ${of} and ${toolbeltItemId} = ${toolbeltItems.id} and ${pinned} is null and ${capability} = one->>'name'`)

/**
 * Pins an allowed capability to what its server offers now, which is what somebody looked at.
 * @throws {ProblemError} `capability-denied` when it is not allowed; `capability-changed` when it is no longer what was seen.
 */
export async function approve(tx: Tx, itemId: string, name: string, digest: string): Promise<void> {
  const isIt = and(eq(toolbeltItemId, itemId), eq(capability, name))!
  const [allowed] = await tx.select({ capability }).from(capabilityPermissions).where(isIt)
  if (!allowed) throw problem('capability-denied', `${cleanText(name)} is not allowed to the agent`)
  const [found] = await tx
    .select({ offered: instances.capabilities })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .where(eq(toolbeltItems.id, itemId))
  const offered = found?.offered?.find((one) => one.name === name)
  if (offered?.digest !== digest)
    throw problem('capability-changed', `${cleanText(name)} is not what was looked at: read its definition again`)
  await tx.update(capabilityPermissions).set({ pinned: offered }).where(isIt)
}

/**
 * Stores what a server offers. What was allowed before it offers it is pinned; what is pinned to something else is told once.
 * @param same Is the instance still the one that was asked?
 */
export async function storeOffer(
  tx: Tx,
  { id, accountId, toolboxId, name, capabilities: before }: InstanceRow,
  same: SQL,
  { capabilities, digest }: { readonly capabilities: Capability[]; readonly digest: string },
): Promise<void> {
  await pinAtFirstSight(tx, eq(instances.id, id))
  await tx.update(instances).set({ capabilities, capabilityDigest: digest }).where(same)
  await pinAtFirstSight(tx, eq(instances.id, id))
  const known = new Map(before?.map((one) => [one.name, one.digest]))
  const changed = capabilities.filter((one) => known.get(one.name) !== one.digest).map((one) => one.name)
  const blocked = changed.length === 0 ? [] : await blockedOf(tx, id, changed)
  if (blocked.length === 0) return
  const names = blocked.map((one) => cleanText(one.capability)).join(', ')
  const agents = Math.max(...blocked.map((one) => one.agents))
  const message = `${name} describes otherwise than it did, and is blocked until approved for ${agents === 1 ? '1 agent' : `${agents} agents`}: ${names}`
  await recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: 'instance.capabilities-changed',
    subject: id,
    toolboxId,
    message,
  })
}

/** Which of these are allowed to agents as something else, and to how many. */
const blockedOf = (tx: Tx, instanceId: string, names: readonly string[]) =>
  tx
    .select({ capability, agents: countDistinct(toolbeltItems.agentId) })
    .from(capabilityPermissions)
    .innerJoin(toolbeltItems, eq(toolbeltItems.id, toolbeltItemId))
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .where(
      and(
        eq(instances.id, instanceId),
        sql`${capability} in ${names}`,
        sql`exists (select from jsonb_array_elements(${instances.capabilities}) one
          where one->>'name' = ${capability} and one->>'digest' <> ${pinned}->>'digest')`,
      ),
    )
    .groupBy(capability)
    .orderBy(capability)
