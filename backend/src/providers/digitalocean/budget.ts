/**
 * How often a token may be used: DigitalOcean allows 250 calls a minute and 5,000 an hour, to all together who have the token; we keep
 * well below. Each process counts its own calls; what is used by others, other control planes on our database too, it hears.
 */
export interface Budget {
  /** Counts one call. @returns 0, or how many milliseconds to wait before asking again; then nothing was counted. */
  take(): number
  /** DigitalOcean said: not before then. */
  pause(ms: number): void
  /** DigitalOcean said how many calls are left of how many, whoever made the others. */
  hear(left: number, of: number): void
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Of what DigitalOcean allows; what lies below is for others. */
const KEPT_SHARE = 0.3
/** While that is begun: in bursts, since what is asked in several calls would never be finished one by one. */
const SCARCE_PER_MINUTE = 10

/** @param steady Milliseconds that only grow. */
export function createBudget(steady: () => number, { perMinute = 150, perHour = 3_500 } = {}): Budget {
  const calls: number[] = [] // times of the last hour, oldest first
  let pausedUntil = 0
  let isScarce = false

  /** The wait until fewer than `most` calls lie within `windowMs`. */
  function waitFor(most: number, windowMs: number, at: number): number {
    const blocking = calls.at(-most)
    return blocking === undefined ? 0 : Math.max(0, blocking + windowMs - at)
  }

  return {
    take() {
      const at = steady()
      while (calls.length > 0 && calls[0]! <= at - HOUR_MS) calls.shift()
      const mostNow = isScarce ? Math.min(SCARCE_PER_MINUTE, perMinute) : perMinute
      const wait = Math.max(pausedUntil - at, waitFor(mostNow, MINUTE_MS, at), waitFor(perHour, HOUR_MS, at))
      if (wait > 0) return wait
      calls.push(at)
      return 0
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, steady() + ms)
    },
    hear(left, of) {
      isScarce = left < of * KEPT_SHARE
    },
  }
}
