import { getTableName } from 'drizzle-orm'
import { tellEveryAccount } from '../events/activity.store.ts'
import type { Log } from '../log.ts'
import { backoffMs } from '../reconcile/backoff.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import type { Sealer } from '../store/seal.ts'
import { resealSome } from './reseal.store.ts'
import { leftIn, NOTHING, sumOf, type Tally } from './reseal.tally.ts'
import { resealRootKey } from './root-key.store.ts'
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.ts'

export interface ResealDeps {
  readonly store: Pick<Store, 'system'>
  readonly sealer: Sealer
  /** Ids of the other keys that open; without one there is nothing to seal anew. */
  readonly others: readonly string[]
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  readonly signal: AbortSignal
}

/** Other control planes may seal under a key before until they are started with the present one. */
const EVERY_MS = 3_600_000
const AFTER_FAILURES = { firstMs: 1_000, longestMs: 600_000 }

/** Not everything is sealed under the present key. What can be is. */
class NotEnded extends Error {
  override readonly name = 'NotEnded'
}

/**
 * Seals under the present master key what is sealed under another one: at once, and every hour, until the signal. What is done is done:
 * whoever is killed goes on at the next start. Without another key it looks once whether one is missing.
 */
export async function keepResealing(deps: ResealDeps): Promise<void> {
  const { sealer, others, clock, log, random, signal } = deps
  const isAlone = others.length === 0
  const toldMissing = new Set<string>()
  let failures = 0
  let isTold = isAlone
  while (!signal.aborted) {
    try {
      const count = await resealAll(deps, toldMissing)
      if (isAlone) return
      if (count > 0 || !isTold)
        log.info({ keyId: sealer.keyId, others, count }, 'nothing in the database is sealed under the other master key')
      isTold = true
      failures = 0
    } catch (err) {
      if (isAlone && err instanceof NotEnded) return // nor would it end the next time: that takes another start
      failures += 1
      const what = isAlone ? 'whether a master key is missing is not known' : 'not all is sealed under this master key'
      if (!signal.aborted) log.warn({ err, keyId: sealer.keyId, others }, `${what}; looked at again`)
    }
    await clock.sleep(failures === 0 ? EVERY_MS : backoffMs(failures, random, AFTER_FAILURES), signal)
  }
}

/**
 * Looks at every sealed text once. The root key comes last: it is sealed under the present key when all others were found to be so. What
 * others seal under a key before after that look is found by the next one.
 * @param toldMissing Ids of keys that people were told are missing, which grows.
 * @returns How many were sealed anew. @throws {Error} When not all are sealed under the present key now.
 */
export async function resealAll(
  deps: Omit<ResealDeps, 'clock' | 'random'>,
  toldMissing = new Set<string>(),
): Promise<number> {
  const { store, sealer, others, log } = deps
  let all = NOTHING
  for (const column of SEALED_COLUMNS) {
    const tally = await resealColumn(column, deps)
    const told = { keyId: sealer.keyId, table: getTableName(column.table), count: tally.resealed }
    if (tally.resealed > 0) log.info(told, 'sealed under the present master key')
    all = sumOf(all, tally)
  }
  const { resealed, broken, firstBroken } = all
  if (broken > 0)
    log.error({ firstBroken, count: broken }, 'sealed texts were changed and do not open: enter them anew')
  for (const [missingKeyId, count] of all.shut) {
    log.error(
      { missingKeyId, count, given: [sealer.keyId, ...others] },
      'stored secrets are sealed under a master key that is not given: start with it in OTHER_MASTER_KEY, too',
    )
    if (!toldMissing.has(missingKeyId)) await store.system((tx) => tellMissing(tx, missingKeyId))
    toldMissing.add(missingKeyId)
  }
  const left = leftIn(all)
  if (left !== undefined) throw new NotEnded(left)
  if (others.length === 0) return 0
  return (await store.system((tx) => finish(tx, sealer))) ? resealed + 1 : resealed
}

async function resealColumn(
  column: SealedColumn,
  { store, sealer, others, signal }: Pick<ResealDeps, 'store' | 'sealer' | 'others' | 'signal'>,
): Promise<Tally> {
  let tally = NOTHING
  for (let after: readonly string[] | undefined; ; ) {
    signal.throwIfAborted()
    const look = await store.system((tx) => resealSome(tx, column, sealer, others, after))
    tally = sumOf(tally, look)
    after = look.last
    if (after === undefined) return tally
  }
}

async function finish(tx: Tx, sealer: Sealer): Promise<boolean> {
  if (!(await resealRootKey(tx, sealer))) return false
  await tellEveryAccount(tx, {
    actor: 'control plane',
    action: 'master-key.changed',
    message: `All stored secrets are sealed under the master key ${sealer.keyId}`,
  })
  return true
}

const tellMissing = (tx: Tx, keyId: string): Promise<void> =>
  tellEveryAccount(tx, {
    actor: 'control plane',
    action: 'master-key.missing',
    message: `Stored secrets are sealed under the master key ${keyId}, which the control plane was not given: they do not open until it is`,
  })
