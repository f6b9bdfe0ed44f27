import { type Approval, problem } from '@agentopia/api'
import { and, count, desc, eq, lt, sql } from 'drizzle-orm'
import { getCallSettings } from '../calls/call-settings.store.ts'
import { RateLimited } from '../http/rate-limited.ts'
import type { Tx } from '../store/connect.ts'
import { approvals, calls, capabilityPermissions } from '../store/schema/index.ts'
import type { SealedFor } from '../store/seal.ts'

type ApprovalRow = typeof approvals.$inferSelect
type NewApproval = Omit<typeof approvals.$inferInsert, 'expiresAt' | 'heldUntil' | 'state'>

/** A process that does not say so again within this time holds no call any more. */
const HELD = sql`now() + interval '10 seconds'`
/** More than these wait for nobody: people who are asked too much say yes to everything. */
const MOST_OF_AGENT = 10
const MOST_OF_ACCOUNT = 100

const isWaiting = eq(approvals.state, 'waiting')
/** The call waits in a process that lives. A call that is on record has ended, whatever this row says. */
const isHeld = sql<boolean>`(${approvals.state} = 'waiting' and ${approvals.expiresAt} > now() and ${approvals.heldUntil} > now()
  and not exists (select from ${calls} where ${calls.id} = ${approvals.callId}))`

/** Begins to wait. @returns For how long, in milliseconds. @throws {RateLimited} When too many wait already. */
export async function insertApproval(tx: Tx, row: NewApproval): Promise<number> {
  const { accountId, agentId } = row
  // One at a time for each account, so that many at once cannot pass the limit together.
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`approvals of ${accountId}`}, 0))`)
  const [waiting] = await tx
    .select({
      ofAccount: count(),
      ofAgent: sql<number>`count(*) filter (where ${approvals.agentId} = ${agentId})`.mapWith(Number),
    })
    .from(approvals)
    .where(and(eq(approvals.accountId, accountId), isHeld))
  if ((waiting?.ofAgent ?? 0) >= MOST_OF_AGENT)
    throw new RateLimited(`${MOST_OF_AGENT} calls of this agent wait for a person already`, 10)
  if ((waiting?.ofAccount ?? 0) >= MOST_OF_ACCOUNT)
    throw new RateLimited(`${MOST_OF_ACCOUNT} calls of this account wait for a person already`, 10)
  const { approvalSeconds } = await getCallSettings(tx)
  const expiresAt = sql`now() + make_interval(secs => ${approvalSeconds})`
  await tx.insert(approvals).values({ ...row, expiresAt, heldUntil: HELD })
  return approvalSeconds * 1_000
}

/** Arguments open only for the approval that asks about them. */
export const askedArgumentsOf = ({ id, accountId }: Pick<ApprovalRow, 'id' | 'accountId'>) =>
  ({ purpose: 'approval', accountId, recordId: id }) as const satisfies SealedFor

export async function findApproval(tx: Tx, id: string): Promise<ApprovalRow | undefined> {
  const [row] = await tx.select().from(approvals).where(eq(approvals.id, id))
  return row
}

/** Says that this process still holds its calls. @returns Ids of those that nobody has decided about. */
export async function holdApprovals(tx: Tx, owner: string): Promise<string[]> {
  const held = await tx
    .update(approvals)
    .set({ heldUntil: HELD })
    .where(and(isWaiting, eq(approvals.owner, owner)))
    .returning({ id: approvals.id })
  return held.map(({ id }) => id)
}

/** Nobody decides about it any more. @returns False when somebody has. */
export async function endApproval(
  tx: Tx,
  id: string,
  state: 'expired' | 'withdrawn',
  reason: string,
): Promise<boolean> {
  const ended = await tx
    .update(approvals)
    .set({ state, reason, arguments: null, decidedAt: sql`now()` })
    .where(and(eq(approvals.id, id), isWaiting))
    .returning({ id: approvals.id })
  return ended.length === 1
}

/** What waits in no process that lives, of all accounts, is called what it is. @returns How many there were. */
export async function endAbandoned(tx: Tx): Promise<number> {
  const ended = await tx
    .update(approvals)
    .set({ state: 'expired', reason: ABANDONED, arguments: null, decidedAt: sql`now()` })
    .where(and(isWaiting, sql`not ${isHeld}`))
    .returning({ id: approvals.id })
  return ended.length
}
const ABANDONED = 'The control plane was restarted while the call waited; the call is gone and was not made.'

/** Settled ones are remembered so long; the records of the calls say who decided for as long as these are kept. */
export async function forgetOldApprovals(tx: Tx): Promise<number> {
  const gone = await tx
    .delete(approvals)
    .where(and(sql`not ${isWaiting}`, lt(approvals.createdAt, sql`now() - interval '90 days'`)))
    .returning({ id: approvals.id })
  return gone.length
}

export interface Decision {
  readonly decision: 'approve' | 'deny'
  readonly always: boolean
  readonly reason: string
  /** Who decides. */
  readonly actor: string
}

/**
 * Decides about a call that waits. The same answer again changes nothing.
 * @returns The row, and whether this was what decided.
 * @throws {ProblemError} `approval-not-found`; `approval-settled` when it was decided otherwise, or cannot be decided any more.
 */
export async function decideAbout(
  tx: Tx,
  id: string,
  { decision, always, reason, actor }: Decision,
): Promise<{ row: ApprovalRow; isNew: boolean }> {
  const state = decision === 'approve' ? 'approved' : 'denied'
  const set = {
    state,
    always: always && decision === 'approve',
    decidedBy: actor,
    decidedAt: sql`now()`,
    arguments: null,
    reason: decision === 'deny' && reason !== '' ? reason : null,
  } as const
  const [row] = await tx
    .update(approvals)
    .set(set)
    .where(and(eq(approvals.id, id), isHeld))
    .returning()
  if (!row) return { row: await sameAnswer(tx, id, state), isNew: false }
  if (set.always) await askNoMore(tx, row, set)
  return { row, isNew: true }
}

async function sameAnswer(tx: Tx, id: string, state: Approval['state']): Promise<ApprovalRow> {
  const known = await findApproval(tx, id)
  if (!known) throw problem('approval-not-found', `There is no approval ${id}`)
  if (known.state === state) return known
  const why = known.state === 'waiting' ? 'its call is gone' : `it is ${known.state} already`
  throw problem('approval-settled', `This cannot be decided: ${why}`)
}

/** Nobody is asked for this capability of this agent any more, and what waits for it is let through by the same word. */
async function askNoMore(tx: Tx, row: ApprovalRow, set: Partial<ApprovalRow> | object): Promise<void> {
  const { toolbeltItemId, capability } = row
  await tx
    .update(capabilityPermissions)
    .set({ ask: false })
    .where(
      and(eq(capabilityPermissions.toolbeltItemId, toolbeltItemId), eq(capabilityPermissions.capability, capability)),
    )
  await tx
    .update(approvals)
    .set(set)
    .where(and(eq(approvals.toolbeltItemId, toolbeltItemId), eq(approvals.capability, capability), isHeld))
}

export interface ApprovalQuery {
  readonly state: 'waiting' | 'settled'
  readonly agentId?: string | undefined
  readonly limit: number
  /** Only what was asked before this one. */
  readonly before?: { readonly at: Date; readonly id: string } | undefined
}

/** Newest first. */
export async function listApprovalRows(
  tx: Tx,
  { state, agentId, limit, before }: ApprovalQuery,
): Promise<{ row: ApprovalRow; held: boolean }[]> {
  const place = sql`(${approvals.createdAt}, ${approvals.id})`
  return tx
    .select({ row: approvals, held: isHeld })
    .from(approvals)
    .where(
      and(
        state === 'waiting' ? isHeld : sql`not ${isHeld}`,
        agentId === undefined ? undefined : eq(approvals.agentId, agentId),
        before && sql`${place} < (${before.at.toISOString()}::timestamptz, ${before.id})`,
      ),
    )
    .orderBy(desc(approvals.createdAt), desc(approvals.id))
    .limit(limit)
}

/** As it is shown. @param args What it is to be made with, for those who may decide. */
export function viewOf(
  row: ApprovalRow,
  { held, args }: { readonly held: boolean; readonly args?: string | undefined },
) {
  const { state, readOnly, destructive, decidedAt, decidedBy, reason } = row
  const gone = state === 'waiting' && !held
  const view: Approval = {
    id: row.id,
    agentId: row.agentId,
    agentName: row.agentName,
    toolbeltItemId: row.toolbeltItemId,
    instanceName: row.instanceName,
    capability: row.capability,
    ...(readOnly === null ? {} : { readOnly }),
    ...(destructive === null ? {} : { destructive }),
    callId: row.callId,
    via: row.via,
    state: gone ? 'expired' : state,
    ...(args === undefined ? {} : { arguments: args }),
    argumentBytes: row.argumentBytes,
    argumentDigest: row.argumentDigest,
    askedAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    ...(decidedAt === null ? {} : { decidedAt: decidedAt.toISOString() }),
    ...(decidedBy === null ? {} : { decidedBy }),
    always: row.always,
    ...(gone ? { reason: ABANDONED } : reason === null ? {} : { reason }),
  }
  return view
}
