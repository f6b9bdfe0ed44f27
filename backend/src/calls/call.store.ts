import type { Call, CallFilter } from '@agentopia/api'
import { and, asc, desc, eq, gte, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { agents, calls } from '../store/schema/index.ts'

/** Notes that these agents called just now. */
export async function noteLastCall(tx: Tx, agentIds: readonly string[]): Promise<void> {
  await tx
    .update(agents)
    .set({ lastCallAt: sql`now()` })
    .where(inArray(agents.id, [...agentIds]))
}

/** A call's place in time. */
export interface CallPosition {
  readonly startedAt: string
  readonly id: string
}

export interface CallQuery extends CallFilter {
  /** This one alone. */
  readonly id?: string
  readonly limit: number
  /** Only what began before this one. */
  readonly before?: CallPosition | undefined
}

/** Newest first. */
export async function listCallRecords(tx: Tx, { id, limit, before, ...filter }: CallQuery): Promise<Call[]> {
  const rows = await tx
    .select()
    .from(calls)
    .where(
      and(
        id === undefined ? undefined : eq(calls.id, id),
        ...conditions(filter),
        before && sql`${position} < ${placeOf(before)}`,
      ),
    )
    .orderBy(desc(calls.startedAt), desc(calls.id))
    .limit(limit)
  return rows.map(viewOf)
}

/** Oldest first, those that began after `after`. */
export async function scanCallRecords(
  tx: Tx,
  filter: CallFilter,
  { after, limit }: { readonly after: CallPosition | undefined; readonly limit: number },
): Promise<Call[]> {
  const rows = await tx
    .select()
    .from(calls)
    .where(and(...conditions(filter), after && sql`${position} > ${placeOf(after)}`))
    .orderBy(asc(calls.startedAt), asc(calls.id))
    .limit(limit)
  return rows.map(viewOf)
}

const position = sql`(${calls.startedAt}, ${calls.id})`
const placeOf = ({ startedAt, id }: CallPosition): SQL => sql`(${startedAt}::timestamptz, ${id})`

function conditions({ agentId, instanceId, capability, outcome, from, to, text }: CallFilter): (SQL | undefined)[] {
  return [
    agentId === undefined ? undefined : eq(calls.agentId, agentId),
    instanceId === undefined ? undefined : eq(calls.instanceId, instanceId),
    capability === undefined ? undefined : eq(calls.capability, capability),
    outcome === undefined ? undefined : eq(calls.outcome, outcome),
    from === undefined ? undefined : gte(calls.startedAt, new Date(from)),
    to === undefined ? undefined : lt(calls.startedAt, new Date(to)),
    text === undefined ? undefined : mentions(text),
  ]
}

/** The text as it stands: what a pattern would make of its characters does not matter. */
function mentions(text: string): SQL | undefined {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
  const columns = [calls.agentName, calls.instanceName, calls.capability, calls.code]
  return or(eq(calls.id, text), ...columns.map((column) => sql`${column} ilike ${pattern}`))
}

const viewOf = ({ accountId: _, startedAt, ...row }: typeof calls.$inferSelect): Call =>
  // What is null in the database is absent on the wire.
  Object.fromEntries(
    Object.entries({ ...row, startedAt: startedAt.toISOString() }).filter(([, value]) => value !== null),
  ) as Call
