import type { DropletAction, NewDropletAction } from '@agentopia/api'
import { problem } from '@agentopia/api'
import { and, desc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../../store/connect.ts'
import { isUniqueViolation } from '../../store/database-error.ts'
import { dropletActions } from '../../store/schema/index.ts'

export type ActionRow = typeof dropletActions.$inferSelect

/** @throws {ProblemError} `droplet-busy` while another one is at work. */
export async function insertAction(
  tx: Tx,
  row: Pick<ActionRow, 'id' | 'accountId' | 'toolboxId' | 'request' | 'actor'>,
): Promise<ActionRow> {
  try {
    // A savepoint: the caller's transaction survives.
    const [made] = await tx.transaction((inner) => inner.insert(dropletActions).values(row).returning())
    return made!
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    const [other] = await tx.select().from(dropletActions).where(atWorkOn(row.toolboxId))
    throw problem('droplet-busy', other ? `${other.actor} asked for: ${titleOf(other.request)}` : 'It is at work')
  }
}

const atWorkOn = (toolboxId: string): SQL =>
  and(eq(dropletActions.toolboxId, toolboxId), isNull(dropletActions.endedAt))!

export async function findAction(tx: Tx, id: string): Promise<ActionRow | undefined> {
  const [row] = await tx.select().from(dropletActions).where(eq(dropletActions.id, id))
  return row
}

/** The one that has not ended. */
export async function findActionAtWork(tx: Tx, toolboxId: string): Promise<ActionRow | undefined> {
  const [row] = await tx.select().from(dropletActions).where(atWorkOn(toolboxId))
  return row
}

/** Of all accounts: ids of those that have not ended. */
export async function listActionsAtWork(tx: Tx): Promise<string[]> {
  const rows = await tx.select({ id: dropletActions.id }).from(dropletActions).where(isNull(dropletActions.endedAt))
  return rows.map(({ id }) => id)
}

/** Newest first; `after` is the id of the last one that is known. */
export const listActionRows = (tx: Tx, toolboxId: string, limit: number, after?: string): Promise<ActionRow[]> =>
  tx
    .select()
    .from(dropletActions)
    .where(
      and(
        eq(dropletActions.toolboxId, toolboxId),
        after === undefined
          ? undefined
          : sql`(${dropletActions.createdAt}, ${dropletActions.id}) < (select created_at, id from droplet_actions where id = ${after})`,
      ),
    )
    .orderBy(desc(dropletActions.createdAt), desc(dropletActions.id))
    .limit(limit)

type Written = Partial<Pick<ActionRow, 'state' | 'record' | 'message' | 'endedAt'>>

/** Writes how far it is. @returns false when the lease was lost meanwhile: nothing was written then. */
export async function writeAction(tx: Tx, held: SQL, columns: Written): Promise<boolean> {
  const written = await tx.update(dropletActions).set(columns).where(held).returning({ id: dropletActions.id })
  return written.length === 1
}

/** As people say it. */
export function titleOf(request: NewDropletAction): string {
  switch (request.kind) {
    case 'resize':
      return `resize to ${request.size}`
    case 'rebuild':
      return request.image ? `rebuild from ${request.image}` : 'rebuild'
    case 'snapshot':
      return `snapshot ${request.name}`
    default:
      return TITLES[request.kind]
  }
}

const TITLES = {
  reboot: 'reboot',
  power_cycle: 'power cycle',
  power_off: 'power off',
  power_on: 'power on',
  assign_reserved_ip: 'reserve an address',
  release_reserved_ip: 'release the reserved address',
} as const

export const actionViewOf = (row: ActionRow): DropletAction => ({
  id: row.id,
  toolboxId: row.toolboxId,
  kind: row.request.kind,
  title: titleOf(row.request),
  state: row.state,
  actor: row.actor,
  askedAt: row.createdAt.toISOString(),
  ...(row.message === null ? {} : { message: row.message }),
  ...(row.endedAt === null ? {} : { endedAt: row.endedAt.toISOString() }),
})
