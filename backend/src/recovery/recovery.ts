import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { noticeRestore, recoveringSince } from './recovery.store.ts'

export interface RecoveryDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Of the server of the database, where that runs in a directory of ours; else empty. */
  readonly directory: string
  readonly signal: AbortSignal
}

/**
 * A database that was restored from a copy does not know what happened since: it would destroy droplets that it does not know, make
 * others that are long gone, and repeat what was done. So it only watches and tells, until people have looked.
 */
export interface Recovery {
  /** Since when this is known of the database; `undefined`: its word counts. */
  since(): Date | undefined
  /** Resolves when this database's word counts: mostly at once. Also after the signal. Never rejects. */
  readonly over: Promise<void>
}

const LOOK_EVERY_MS = 5_000

/** @throws {ProblemError} `store-unavailable` */
export async function watchRecovery({ store, clock, log, directory, signal }: RecoveryDeps): Promise<Recovery> {
  let since = await store.system((tx) => noticeRestore(tx, directory))

  async function wait(): Promise<void> {
    if (since === undefined) return
    log.warn({ since }, 'the database was restored from a copy; nothing is carried out until the recovery is ended')
    while (since !== undefined && !signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, signal)
      try {
        since = await store.system(recoveringSince)
      } catch (err) {
        log.warn({ err }, 'whether the recovery was ended is not known')
      }
    }
    if (since === undefined) log.warn({}, 'the recovery was ended; what the database says is carried out')
  }

  return { since: () => since, over: wait() }
}
