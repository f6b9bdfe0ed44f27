import type { ToolbeltItem } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import { eq, sql } from 'drizzle-orm'
import { agentOffers, instances, toolbeltItems } from '../store/schema/index.ts'

// What is offered to whoever holds a toolbelt item: columns for queries that join instances to items, and offers by this condition.

/** The offer of an agent's own container is that of its item. */
export const offerOfItem = eq(agentOffers.toolbeltItemId, toolbeltItems.id)

/** What is offered; `null`: nothing is known yet. */
export const offered = sql<Capability[] | null>`coalesce(${agentOffers.capabilities}, ${instances.capabilities})`

/** What any agent is offered, taken together; where they differ, by the definition that was read last. In order of name. */
// Written out: Drizzle leaves the table out of a column's name where it selects from one table alone.
export const offeredToAny = sql<Capability[] | null>`(
  select jsonb_agg(definition order by definition->>'name') from (
    select distinct on (one->>'name') one as definition
    from ${agentOffers} o join ${toolbeltItems} i on i.id = o.toolbelt_item_id
      cross join jsonb_array_elements(o.capabilities) one
    where i.instance_id = ${instances}.id
    order by one->>'name', o.asked_at desc) newest)`

/** What is offered to whoever holds an item, or may be: before its own container was asked, what others are offered. */
export const expected = sql<Capability[] | null>`coalesce(${offered}, ${offeredToAny})`

/** Whose word that is. */
export const offerKind = sql<ToolbeltItem['offer']>`case
  when ${agentOffers.capabilities} is not null then 'own' when ${instances.capabilities} is not null then 'shared' else 'awaited' end`
