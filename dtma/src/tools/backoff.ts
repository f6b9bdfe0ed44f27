/** What is remembered of a tool's failures in this run of DTMA; the next try waits longer after each. */
export interface Backoff {
  /** Failures in a row. */
  readonly failures: number
  /** Monotonic milliseconds; not before then. */
  readonly retryAt: number
}

export const NO_BACKOFF: Backoff = { failures: 0, retryAt: 0 }

const LONGEST_MS = 300_000
/** A tool that ran well for so long starts over with the shortest wait. */
const FORGIVEN_AFTER_MS = 60_000
/** So many failures in a row make a crash loop. */
export const CRASH_LOOP = 3

/** @param firstMs Wait after the first failure; doubles with each. @param wellForMs How long the tool had run well before. */
export function failedOnce({ failures }: Backoff, now: number, firstMs: number, wellForMs = 0): Backoff {
  const count = wellForMs >= FORGIVEN_AFTER_MS ? 1 : failures + 1
  return { failures: count, retryAt: now + Math.min(firstMs * 2 ** (count - 1), LONGEST_MS) }
}

/** After a failure that trying again soon cannot mend. */
export const failedForGood = ({ failures }: Backoff, now: number): Backoff => ({
  failures: failures + 1,
  retryAt: now + LONGEST_MS,
})
