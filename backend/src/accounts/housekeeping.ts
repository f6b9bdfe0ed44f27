import { lt, sql } from 'drizzle-orm'
import { forgetOldApprovals } from '../approvals/approval.store.ts'
import { forgetOldAttempts } from '../connections/connection.store.ts'
import { forgetOldCounts } from '../gateway/admission.ts'
import { forgetManyAnswers, forgetOldExecuteKeys } from '../gateway/execute-once.ts'
import { forgetOldKeys } from '../http/idempotency.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { invitations, sessions, signInLinks, verifications } from '../store/schema/index.ts'
import { forgetUnusedClients } from './oauth/client.store.ts'
import { forgetOldGrants } from './oauth/grant.store.ts'
import { forgetIdleSessions } from './session.store.ts'

export interface HousekeepingDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

const EVERY_MS = 3_600_000

/** Removes what has expired, once an hour, until the signal. Nothing depends on it: expired rows open nothing. */
export async function keepHouse({ store, clock, log, signal }: HousekeepingDeps): Promise<void> {
  while (!signal.aborted) {
    try {
      await removeExpired(store, clock.now())
    } catch (err) {
      log.warn({ err }, 'expired rows not removed')
    }
    await clock.sleep(EVERY_MS, signal)
  }
}

const removeExpired = (store: Store, now: number): Promise<void> =>
  store.system(async (tx) => {
    for (const table of [sessions, signInLinks, verifications, invitations])
      await tx.delete(table).where(lt(table.expiresAt, sql`now()`))
    await forgetIdleSessions(tx, now)
    await forgetOldKeys(tx)
    await forgetOldAttempts(tx)
    await forgetOldGrants(tx)
    await forgetUnusedClients(tx)
    await forgetOldExecuteKeys(tx)
    await forgetManyAnswers(tx)
    await forgetOldCounts(tx, now)
    await forgetOldApprovals(tx)
  })
