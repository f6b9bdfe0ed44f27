import { problem } from '@agentopia/api'
import { and, asc, eq, gt, inArray, ne, or, type SQL } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { groups, instances, toolboxes } from '../store/schema/index.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { changeInstance, type InstanceRow, listToolboxInstances } from '../tools/instance.store.ts'

export type GroupRow = typeof groups.$inferSelect

/** A group with everything that is known of the tools on its toolbox, read at one moment. */
export interface FoundGroup {
  readonly group: GroupRow
  readonly toolbox: ToolboxRow
  readonly instanceOf: (instanceId: string) => InstanceRow | undefined
}

/** @throws {ProblemError} `group-not-found`, also for a group of another account or on another toolbox. */
export async function getGroupRow(tx: Tx, toolboxId: string, groupId: string): Promise<GroupRow> {
  const [row] = await tx
    .select()
    .from(groups)
    .where(and(eq(groups.id, groupId), eq(groups.toolboxId, toolboxId)))
  if (!row) throw problem('group-not-found', `The toolbox ${toolboxId} has no group ${groupId}`)
  return row
}

/** In order of name; `after` is the name of the last one that is known. */
export const listGroupRows = (tx: Tx, toolboxId: string, limit: number, after = ''): Promise<GroupRow[]> =>
  tx
    .select()
    .from(groups)
    .where(and(eq(groups.toolboxId, toolboxId), gt(groups.name, after)))
    .orderBy(asc(groups.name))
    .limit(limit)

/** A failed group of the same name gives way: nothing is left of it but the record. @throws {ProblemError} `name-taken` */
export async function insertGroup(
  tx: Tx,
  group: Pick<GroupRow, 'id' | 'accountId' | 'toolboxId' | 'name' | 'members'>,
): Promise<GroupRow> {
  const { toolboxId, name } = group
  await tx.delete(groups).where(and(eq(groups.toolboxId, toolboxId), eq(groups.name, name), eq(groups.state, 'failed')))
  const [row] = await tx.insert(groups).values(group).onConflictDoNothing().returning()
  if (!row) throw problem('name-taken', `A group on this toolbox is called ${name}`)
  return row
}

/** @throws {ProblemError} `group-not-found`: it has gone meanwhile, with its toolbox. */
export async function wantGroupAbsent(tx: Tx, groupId: string): Promise<GroupRow> {
  const [row] = await tx.update(groups).set({ desired: 'absent' }).where(eq(groups.id, groupId)).returning()
  if (!row) throw problem('group-not-found', `The group ${groupId} has gone`)
  return row
}

/**
 * A group is one thing: its tools come and go together, and are changed one by one once it stands.
 * @throws {ProblemError} `instance-in-group`
 */
export async function assertChangeable(tx: Tx, { name, groupId }: InstanceRow, removes: boolean): Promise<void> {
  if (groupId === null) return
  const [group] = await tx.select().from(groups).where(eq(groups.id, groupId))
  if (!group) return
  if (removes) throw problem('instance-in-group', `${name} belongs to the group ${group.name}`)
  if (group.state !== 'ready' || group.desired === 'absent')
    throw problem('instance-in-group', `${name} belongs to the group ${group.name}, which is not ready`)
}

export async function findGroup(tx: Tx, groupId: string): Promise<FoundGroup | undefined> {
  const [found] = await tx
    .select({ group: groups, toolbox: toolboxes })
    .from(groups)
    .innerJoin(toolboxes, eq(toolboxes.id, groups.toolboxId))
    .where(eq(groups.id, groupId))
  if (!found) return undefined
  const rows = await listToolboxInstances(tx, found.toolbox.id)
  const byId = new Map(rows.map((row) => [row.id, row]))
  return { ...found, instanceOf: (instanceId) => byId.get(instanceId) }
}

const isUnsettled = or(eq(groups.desired, 'absent'), eq(groups.state, 'deploying'), eq(groups.state, 'undoing'))

/** Ids of the groups that may need a step. @param toolboxIds Of these toolboxes alone. */
export const listUnsettled = async (tx: Tx, toolboxIds?: readonly string[]): Promise<string[]> =>
  (
    await tx
      .select({ id: groups.id })
      .from(groups)
      .innerJoin(toolboxes, eq(toolboxes.id, groups.toolboxId))
      .where(
        and(
          isUnsettled,
          ne(toolboxes.status, 'deprovisioned'),
          toolboxIds ? inArray(groups.toolboxId, [...toolboxIds]) : undefined,
        ),
      )
  ).map(({ id }) => id)

/** What only the holder of the lease writes; see `heldBy`. */
export type ReconciledColumns = Partial<Pick<GroupRow, 'state' | 'since' | 'progressedAt' | 'failure'>>

/** @returns Whether the lease still held. */
export async function writeGroup(tx: Tx, held: SQL, columns: ReconciledColumns): Promise<boolean> {
  const rows = await tx.update(groups).set(columns).where(held).returning({ id: groups.id })
  return rows.length === 1
}

export const beginMember = (tx: Tx, instanceId: string) =>
  tx.update(instances).set({ begun: true }).where(eq(instances.id, instanceId))

export const takeBackMember = (tx: Tx, instanceId: string) => changeInstance(tx, instanceId, { desired: 'absent' })

/** The row goes last: after every tool of it. */
export const forgetGroup = (tx: Tx, held: SQL) => tx.delete(groups).where(and(held, eq(groups.desired, 'absent')))
