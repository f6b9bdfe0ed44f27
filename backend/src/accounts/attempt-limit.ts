import { RateLimited } from '../http/rate-limited.ts'
import type { Clock } from '../reconcile/clock.ts'

export interface AttemptLimit {
  /**
   * Counts an attempt before it is made, so that a thousand at once do not slip through together.
   * @returns A function that takes it back: for one that succeeded.
   * @throws {RateLimited}
   */
  take(key: string): () => void
}

export interface AttemptLimitOptions {
  /** So many failures within a minute; the next is refused. */
  readonly perMinute: number
  readonly clock: Pick<Clock, 'steady'>
  /** Of what there were too many, for the answer: `attempts for this address`. */
  readonly what: string
}

const WINDOW_MS = 60_000
/** Keys come from strangers: the oldest are forgotten rather than filling the memory. */
const MOST_KEYS = 10_000

/** A sliding window per key, in the memory of this process. */
export function createAttemptLimit({ perMinute, clock, what }: AttemptLimitOptions): AttemptLimit {
  const attempts = new Map<string, number[]>()

  return {
    take(key) {
      const now = clock.steady()
      const recent = (attempts.get(key) ?? []).filter((at) => now - at < WINDOW_MS)
      if (recent.length >= perMinute) {
        const seconds = Math.max(1, Math.ceil((recent[0]! + WINDOW_MS - now) / 1_000))
        throw new RateLimited(`Too many ${what}: wait ${seconds} s`, seconds)
      }
      recent.push(now)
      attempts.delete(key) // moves it to the end: the map's order is that of the last attempt
      attempts.set(key, recent)
      if (attempts.size > MOST_KEYS) attempts.delete(attempts.keys().next().value!)
      return () => {
        const counted = attempts.get(key) ?? []
        const taken = counted.indexOf(now)
        if (taken !== -1) counted.splice(taken, 1)
      }
    },
  }
}

/** Makes an attempt that was counted; one that succeeds is taken back. */
export async function counted<Result>(taken: readonly (() => void)[], act: () => Promise<Result>): Promise<Result> {
  const result = await act()
  for (const takeBack of taken) takeBack()
  return result
}
