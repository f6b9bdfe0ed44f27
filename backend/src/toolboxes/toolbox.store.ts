import { type Observation, problem, type ToolboxStatus } from '@agentopia/api'
import type { DtmaStatus } from '@agentopia/dtma/contract'
import { and, asc, count, eq, gt, inArray, isNull, ne, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { instances, toolboxes } from '../store/schema/index.ts'
import { sourcesOf } from './toolbox.transitions.ts'

export type ToolboxRow = typeof toolboxes.$inferSelect

/** Condition: it is there, and not on its way out. */
export const isPresent = (): SQL => and(isNull(toolboxes.deletedAt), ne(toolboxes.desired, 'absent'))!

/** Also finds a deprovisioned toolbox: its history stays. */
export async function findToolbox(tx: Tx, toolboxId: string): Promise<ToolboxRow | undefined> {
  const [row] = await tx.select().from(toolboxes).where(eq(toolboxes.id, toolboxId))
  return row
}

/** As {@link findToolbox}. @throws {ProblemError} `toolbox-not-found` */
export async function getToolboxRow(tx: Tx, toolboxId: string): Promise<ToolboxRow> {
  const row = await findToolbox(tx, toolboxId)
  if (!row) throw toolboxNotFound(toolboxId)
  return row
}

/** One that is not deprovisioned, for a transaction that will change it: nobody else does meanwhile. */
export async function lockToolbox(tx: Tx, toolboxId: string): Promise<ToolboxRow | undefined> {
  const there = and(eq(toolboxes.id, toolboxId), isNull(toolboxes.deletedAt))
  const [row] = await tx.select().from(toolboxes).where(there).for('update')
  return row
}

/**
 * One that stays as long as this transaction lasts: what is put on it is not left behind on one that is gone.
 * @throws {ProblemError} `toolbox-not-found`, also for one that is being deprovisioned.
 */
export async function getStayingToolboxRow(tx: Tx, toolboxId: string): Promise<ToolboxRow> {
  const [row] = await tx.select().from(toolboxes).where(eq(toolboxes.id, toolboxId)).for('share')
  if (!row) throw toolboxNotFound(toolboxId)
  if (row.desired === 'absent') throw problem('toolbox-not-found', `The toolbox ${row.name} is being deprovisioned`)
  return row
}

/** The same for what does not exist and what is another account's. */
export const toolboxNotFound = (toolboxId: string) => problem('toolbox-not-found', `No toolbox has the id ${toolboxId}`)

/** The toolboxes that are not deprovisioned, in order of name; `after` is the name of the last one that is known. */
export const listToolboxRows = (tx: Tx, limit: number, after = ''): Promise<ToolboxRow[]> =>
  tx
    .select()
    .from(toolboxes)
    .where(and(isNull(toolboxes.deletedAt), gt(toolboxes.name, after)))
    .orderBy(asc(toolboxes.name))
    .limit(limit)

export interface ToolCounts {
  readonly running: number
  readonly total: number
}

/** How many tool instances each of these toolboxes has; one without any is absent. */
export async function countTools(tx: Tx, toolboxIds: readonly string[]): Promise<Map<string, ToolCounts>> {
  if (toolboxIds.length === 0) return new Map()
  const running = sql<number>`count(*) filter (where ${instances.status}->>'state' = 'running')::int`
  const rows = await tx
    .select({ toolboxId: instances.toolboxId, total: count(), running })
    .from(instances)
    .where(and(inArray(instances.toolboxId, [...toolboxIds]), ne(instances.desired, 'absent')))
    .groupBy(instances.toolboxId)
  return new Map(rows.map(({ toolboxId, ...counts }) => [toolboxId, counts]))
}

export interface StatusChange {
  readonly to: ToolboxStatus
  /** For people; absent when the status needs no words. */
  readonly reason?: string
  readonly now: Date
  /** Only from these; absent: from every status that the table of transitions allows. */
  readonly from?: readonly ToolboxStatus[]
  /** A further condition on the row. */
  readonly when?: SQL
}

/** Changes the status, if the table of transitions allows it. @returns the row as it is then; `undefined` when nothing was changed. */
export async function moveTo(tx: Tx, toolboxId: string, change: StatusChange): Promise<ToolboxRow | undefined> {
  const { to, reason, now, from, when } = change
  const sources = sourcesOf(to).filter((status) => from?.includes(status) ?? true)
  const [row] = await tx
    .update(toolboxes)
    .set({ status: to, statusReason: reason ?? null, statusSince: now })
    .where(and(eq(toolboxes.id, toolboxId), inArray(toolboxes.status, sources), when))
    .returning()
  return row
}

/** What people ask of a toolbox beside its status, each thing as it was asked for last. */
type Wishes = Pick<ToolboxRow, 'updateAsked' | 'keyRotationAsked' | 'roadAsked'>

/** Writes down what somebody asks for; its reconciler brings it about. @returns The row as it is then. */
export async function askOf(tx: Tx, toolboxId: string, wish: Partial<Wishes>): Promise<ToolboxRow> {
  const [row] = await tx.update(toolboxes).set(wish).where(eq(toolboxes.id, toolboxId)).returning()
  return row!
}

/** Changes the words of a status that stays. */
export const restate = (tx: Tx, toolboxId: string, status: ToolboxStatus, reason: string | null) =>
  tx
    .update(toolboxes)
    .set({ statusReason: reason })
    .where(
      and(
        eq(toolboxes.id, toolboxId),
        eq(toolboxes.status, status),
        sql`${toolboxes.statusReason} is distinct from ${reason}`,
      ),
    )

/** Stores what one look showed; `seen` is what DTMA said of itself, when it did. */
export async function storeObservation(
  tx: Tx,
  toolboxId: string,
  observation: Observation,
  seen: DtmaStatus | undefined,
): Promise<ToolboxRow | undefined> {
  const facts = seen ? { docker: seen.docker, system: seen.system, dtmaVersion: seen.version } : {}
  const [row] = await tx
    .update(toolboxes)
    .set({ observation, ...facts })
    .where(eq(toolboxes.id, toolboxId))
    .returning()
  return row
}
