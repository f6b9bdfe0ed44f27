import { and, eq, isNull, lt, lte, sql } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { Log } from '../log.ts'
import { forgetPayloadsBefore } from '../payloads/payload.store.ts'
import type { Clock } from '../reconcile/clock.ts'
import { FORGETTING } from '../store/call-protection.ts'
import type { Store, Tx } from '../store/connect.ts'
import { calls } from '../store/schema/index.ts'
import { listRetentions } from './call-settings.store.ts'
import { lockChains, writeChains } from './chain.store.ts'
import type { ChainSeal } from './chain-seal.ts'

export interface RetentionDeps {
  readonly store: Pick<Store, 'system'>
  readonly seal: ChainSeal
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

const EVERY_MS = 3_600_000
const DAY_MS = 86_400_000
/** Records that one transaction removes: so long does nobody else add to the chain. */
const AT_ONCE = 10_000

/** Removes records that are older than their account wants them, once an hour, until the signal. */
export async function keepRetention({ store, seal, clock, log, signal }: RetentionDeps): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const { accountId, retentionDays } of await store.system(listRetentions))
        if (retentionDays !== null)
          await removeOldCalls(store, seal, accountId, new Date(clock.now() - retentionDays * DAY_MS), signal)
    } catch (err) {
      log.warn({ err }, 'old records of calls not removed; tried again in an hour')
    }
    await clock.sleep(EVERY_MS, signal)
  }
}

/**
 * Removes the records before the first one that began at `before` or later. The chain goes on from the last one removed: its place
 * and hash stay, under seal. @returns how many were removed.
 */
export async function removeOldCalls(
  store: Pick<Store, 'system'>,
  seal: ChainSeal,
  accountId: string,
  before: Date,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0
  for (;;) {
    const count = signal.aborted ? 0 : await store.system((tx) => removeSome(tx, seal, accountId, before))
    removed += count
    if (count === 0) break
  }
  if (removed > 0)
    await store.system((tx) =>
      recordActivity(tx, {
        accountId,
        actor: 'control plane',
        action: 'calls.removed',
        subject: accountId,
        message: `Removed ${removed} records of calls from before ${before.toISOString()}`,
      }),
    )
  return removed
}

async function removeSome(tx: Tx, seal: ChainSeal, accountId: string, before: Date): Promise<number> {
  const [chain] = await lockChains(tx, [accountId], seal)
  if (!chain) return 0
  await tx.execute(sql`select set_config(${FORGETTING}, 'on', true)`)
  const own = eq(calls.accountId, accountId)
  const unchained = await tx
    .delete(calls)
    .where(and(own, isNull(calls.sequence), lt(calls.startedAt, before)))
    .returning({ id: calls.id })
  const last = await lastToRemove(tx, chain, before)
  const gone = last
    ? await tx
        .delete(calls)
        .where(and(own, lte(calls.sequence, last.sequence)))
        .returning({ id: calls.id })
    : []
  await forgetPayloadsBefore(tx, accountId, before)
  if (unchained.length + gone.length === 0) return 0
  await writeChains(tx, [
    seal.seal({
      ...chain,
      unchained: chain.unchained - unchained.length,
      ...(last ? { removedSequence: last.sequence, removedHash: last.hash } : {}),
    }),
  ])
  return unchained.length + gone.length
}

/** The end of what one transaction removes: only a beginning of the chain can go without breaking it. */
async function lastToRemove(
  tx: Tx,
  { accountId, sequence, removedSequence }: { accountId: string; sequence: number; removedSequence: number },
  before: Date,
): Promise<{ sequence: number; hash: string } | undefined> {
  const { rows } = await tx.execute<{ first: string | null }>(sql`
    select min(sequence) as first from ${calls}
    where account_id = ${accountId} and sequence is not null and started_at >= ${before.toISOString()}::timestamptz`)
  const first = rows[0]?.first
  const most = Math.min(first ? Number(first) - 1 : sequence, removedSequence + AT_ONCE)
  if (most <= removedSequence) return undefined
  const [last] = await tx
    .select({ sequence: calls.sequence, hash: calls.hash })
    .from(calls)
    .where(and(eq(calls.accountId, accountId), eq(calls.sequence, most)))
  return last?.sequence && last.hash ? { sequence: last.sequence, hash: last.hash } : undefined
}
