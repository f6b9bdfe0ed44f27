import { problem } from '@agentopia/api'
import { and, countDistinct, eq, type SQL, sql } from 'drizzle-orm'
import { cleanText } from '../gateway/clean-text.ts'
import type { Tx } from '../store/connect.ts'
import { agentOffers, capabilityPermissions, instances, toolbeltItems } from '../store/schema/index.ts'
import { expected, offered, offerOfItem } from './offered.ts'

/*
 * What is allowed to an agent is pinned: the definition that its server gave. While the server gives another one, the gateway
 * neither lists nor calls it for that agent. What another agent's own container gives is nothing to it.
 */

const { toolbeltItemId, capability, pinned } = capabilityPermissions

/**
 * Pins what is allowed and was not seen so far to what its server offers now.
 * @param of Which toolbelt items, or which instance.
 */
export const pinAtFirstSight = (tx: Tx, of: SQL) => pinTo(tx, of, offered)

/** The same for what a person allows: what was shown is what was allowed, also where it is another agent's. Anything else is a change. */
export const pinAsShown = (tx: Tx, of: SQL) => pinTo(tx, of, expected)

const pinTo = (tx: Tx, of: SQL, definitions: SQL) =>
  tx.execute(sql`
    update ${capabilityPermissions} set pinned = one
    from ${toolbeltItems} join ${instances} on ${instances.id} = ${toolbeltItems.instanceId}
      left join ${agentOffers} on ${offerOfItem}
      cross join jsonb_array_elements(coalesce(${definitions}, '[]')) one
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
    .select({ offered })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .leftJoin(agentOffers, offerOfItem)
    .where(eq(toolbeltItems.id, itemId))
  const one = found?.offered?.find((definition) => definition.name === name)
  if (one?.digest !== digest)
    throw problem('capability-changed', `${cleanText(name)} is not what was looked at: read its definition again`)
  await tx.update(capabilityPermissions).set({ pinned: one }).where(isIt)
}

/** A capability, and to how many agents it is allowed as something else. */
export interface Blocked {
  readonly capability: string
  readonly agents: number
}

/**
 * Which of these are allowed as something else than is offered now.
 * @param of As of {@link pinAtFirstSight}.
 */
export const blockedOf = (tx: Tx, of: SQL, names: readonly string[]): Promise<Blocked[]> =>
  tx
    .select({ capability, agents: countDistinct(toolbeltItems.agentId) })
    .from(capabilityPermissions)
    .innerJoin(toolbeltItems, eq(toolbeltItems.id, toolbeltItemId))
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .leftJoin(agentOffers, offerOfItem)
    .where(
      and(
        of,
        sql`${capability} in ${names}`,
        sql`exists (select from jsonb_array_elements(${offered}) one
          where one->>'name' = ${capability} and one->>'digest' <> ${pinned}->>'digest')`,
      ),
    )
    .groupBy(capability)
    .orderBy(capability)
