import { problem } from '@agentopia/api'
import { and, asc, count, eq, gt, inArray, ne, type SQL, sql } from 'drizzle-orm'
import type { ConfigValues } from '../catalog/recipe.ts'
import type { Tx } from '../store/connect.ts'
import { instances, toolbeltItems, toolboxes } from '../store/schema/index.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

export type InstanceRow = typeof instances.$inferSelect

/** @throws {ProblemError} `instance-not-found`, also for an instance of another account or on another toolbox. */
export async function getInstanceRow(tx: Tx, toolboxId: string, instanceId: string): Promise<InstanceRow> {
  const [row] = await tx
    .select()
    .from(instances)
    .where(and(eq(instances.id, instanceId), eq(instances.toolboxId, toolboxId)))
  if (!row) throw problem('instance-not-found', `The toolbox ${toolboxId} has no tool instance ${instanceId}`)
  return row
}

/** In order of name; `after` is the name of the last one that is known. */
export const listInstanceRows = (tx: Tx, toolboxId: string, limit: number, after = ''): Promise<InstanceRow[]> =>
  tx
    .select()
    .from(instances)
    .where(and(eq(instances.toolboxId, toolboxId), gt(instances.name, after)))
    .orderBy(asc(instances.name))
    .limit(limit)

/** Of all these toolboxes. */
export const listInstanceIds = async (tx: Tx, toolboxIds: readonly string[]): Promise<string[]> =>
  (
    await tx
      .select({ id: instances.id })
      .from(instances)
      .where(inArray(instances.toolboxId, [...toolboxIds]))
  ).map(({ id }) => id)

export const listToolboxInstances = (tx: Tx, toolboxId: string): Promise<InstanceRow[]> =>
  tx.select().from(instances).where(eq(instances.toolboxId, toolboxId))

export type NewInstance = Pick<
  InstanceRow,
  'id' | 'accountId' | 'toolboxId' | 'toolId' | 'name' | 'config' | 'recipe'
> &
  Partial<Pick<InstanceRow, 'groupId' | 'begun'>>

/** @throws {ProblemError} `name-taken`. */
export async function insertInstance(tx: Tx, instance: NewInstance): Promise<InstanceRow> {
  const [row] = await tx
    .insert(instances)
    .values({ ...instance, desired: 'running' })
    .onConflictDoNothing()
    .returning()
  if (!row) throw problem('name-taken', `A tool on this toolbox is called ${instance.name}`)
  return row
}

/** What is asked for of an instance. */
export interface InstanceChange {
  readonly desired?: InstanceRow['desired']
  readonly config?: ConfigValues
}

/**
 * Changes what is asked for; each change is a new generation. What was to be removed is: nothing else is asked of it any more.
 * @throws {ProblemError} `instance-not-found`: it goes, or has gone, meanwhile.
 */
export async function changeInstance(tx: Tx, instanceId: string, change: InstanceChange): Promise<InstanceRow> {
  const [row] = await tx
    .update(instances)
    .set({ ...change, generation: sql`${instances.generation} + 1` })
    .where(and(eq(instances.id, instanceId), change.desired === 'absent' ? undefined : ne(instances.desired, 'absent')))
    .returning()
  if (!row) throw problem('instance-not-found', `The tool instance ${instanceId} has gone`)
  return row
}

export async function toolbeltsHolding(tx: Tx, instanceId: string): Promise<number> {
  const [row] = await tx.select({ count: count() }).from(toolbeltItems).where(eq(toolbeltItems.instanceId, instanceId))
  return row?.count ?? 0
}

export const takeOutOfToolbelts = (tx: Tx, instanceId: string) =>
  tx.delete(toolbeltItems).where(eq(toolbeltItems.instanceId, instanceId))

/** The row goes last: after the toolbox confirmed that nothing is left of the instance. */
export async function forgetInstance(tx: Tx, instanceId: string, held: SQL): Promise<void> {
  await takeOutOfToolbelts(tx, instanceId)
  await tx.delete(instances).where(and(held, eq(instances.desired, 'absent')))
}

/** What only the holder of the lease writes; see `heldBy`. */
export type ReconciledColumns = Partial<
  Pick<InstanceRow, 'capabilities' | 'capabilityDigest' | 'refusal' | 'generation'>
>

export const writeHeld = (tx: Tx, held: SQL, columns: ReconciledColumns) =>
  tx.update(instances).set(columns).where(held)

/** Instances with their toolboxes, for the reconciler: all that may need a step. */
export const findWithToolbox = async (
  tx: Tx,
  instanceId: string,
): Promise<{ instance: InstanceRow; toolbox: ToolboxRow } | undefined> => {
  const [found] = await tx
    .select({ instance: instances, toolbox: toolboxes })
    .from(instances)
    .innerJoin(toolboxes, eq(toolboxes.id, instances.toolboxId))
    .where(eq(instances.id, instanceId))
  return found
}

/** Ids of the instances that may need a step; the silent toolboxes' are left out, their instances can only wait. */
export const listReconcilable = async (tx: Tx): Promise<string[]> =>
  (
    await tx
      .select({ id: instances.id })
      .from(instances)
      .innerJoin(toolboxes, eq(toolboxes.id, instances.toolboxId))
      .where(inArray(toolboxes.status, ['active', 'deprovisioned']))
  ).map(({ id }) => id)
