import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'

export interface RetriesDeps {
  readonly clock: Pick<Clock, 'steady'>
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  readonly firstMs: number
  readonly longestMs: number
}

/** When what failed is to be tried again, less and less often: a key may be looked at between for other reasons. */
export interface Retries {
  /** @returns Milliseconds; 0: now. */
  dueInMs(key: string): number
  /** Notes another failure. @returns Milliseconds until it is due. */
  failed(key: string): number
  forget(key: string): void
}

export function createRetries({ clock, random, firstMs, longestMs }: RetriesDeps): Retries {
  const known = new Map<string, { readonly failures: number; readonly due: number }>()

  return {
    dueInMs: (key) => Math.max((known.get(key)?.due ?? 0) - clock.steady(), 0),
    failed(key) {
      const failures = (known.get(key)?.failures ?? 0) + 1
      const ms = backoffMs(failures, random, { firstMs, longestMs })
      known.set(key, { failures, due: clock.steady() + ms })
      return ms
    },
    forget: (key) => void known.delete(key),
  }
}
