import type { Activity } from '@agentopia/api'
import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import { accounts, activities } from '../store/schema/index.ts'

/** Who did what to which thing. */
export interface NewActivity {
  readonly accountId: string
  /** `caller.actor`, or `control plane` for what nobody asked for. */
  readonly actor: string
  /** A noun and what became of it: `toolbox.active`, `instance.deployed`. */
  readonly action: string
  /** Id of the thing. */
  readonly subject: string
  /** The toolbox that it happened on, when there is one. */
  readonly toolboxId?: string
  /** One sentence for people. Never holds a secret. */
  readonly message: string
}

/** Longer messages are cut: a record is a line, not a log. */
const MESSAGE_LIMIT = 500

/** Records it in the same transaction as the deed: both stand, or neither. */
export async function recordActivity(tx: Tx, { toolboxId, message, ...activity }: NewActivity): Promise<void> {
  await tx.insert(activities).values({
    id: newId('act'),
    ...activity,
    toolboxId: toolboxId ?? null,
    message: message.slice(0, MESSAGE_LIMIT),
  })
}

/** Records what happened to the control plane itself, in the same transaction: every account is told. */
export async function tellEveryAccount(tx: Tx, what: Pick<NewActivity, 'actor' | 'action' | 'message'>): Promise<void> {
  for (const { id } of await tx.select({ id: accounts.id }).from(accounts))
    await recordActivity(tx, { ...what, accountId: id, subject: id })
}

export interface ActivityQuery {
  readonly limit: number
  /** Only what happened on this toolbox. */
  readonly toolboxId?: string | undefined
  /** Only what is older than this record. */
  readonly before?: { readonly at: Date; readonly id: string } | undefined
}

/** Newest first. */
export async function listActivities(tx: Tx, { limit, toolboxId, before }: ActivityQuery): Promise<Activity[]> {
  const rows = await tx
    .select()
    .from(activities)
    .where(and(toolboxId === undefined ? undefined : eq(activities.toolboxId, toolboxId), before && olderThan(before)))
    .orderBy(desc(activities.at), desc(activities.id))
    .limit(limit)
  return rows.map(({ accountId: _, at, toolboxId: where, ...row }) => ({
    ...row,
    at: at.toISOString(),
    ...(where === null ? {} : { toolboxId: where }),
  }))
}

const olderThan = ({ at, id }: { at: Date; id: string }): SQL =>
  sql`(${activities.at}, ${activities.id}) < (${at.toISOString()}::timestamptz, ${id})`
