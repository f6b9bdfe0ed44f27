import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { forgetOldPayloads } from './payload.store.ts'

export interface PayloadPurgeDeps {
  readonly store: Pick<Store, 'system'>
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** What should be gone is read by nobody from that moment on; so much later it is gone. */
const EVERY_MS = 10 * 60_000

/** Removes what was kept long enough, until the signal. */
export async function purgePayloads({ store, clock, log, signal }: PayloadPurgeDeps): Promise<void> {
  while (!signal.aborted) {
    await store
      .system((tx) => forgetOldPayloads(tx, new Date(clock.now())))
      .catch((err: unknown) =>
        log.warn({ err }, 'what was sent and answered is not removed; tried again in ten minutes'),
      )
    await clock.sleep(EVERY_MS, signal)
  }
}
