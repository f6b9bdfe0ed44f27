export const MINUTE_MS = 60_000

/** Counts of the present minute, in the memory of this process. */
export interface MinuteCounts {
  of(key: string, now: number): number
  /** Counts one more. @returns False when there were `most` in this minute already: not counted. */
  take(key: string, most: number, now: number): boolean
}

/** More keys than this do not come to one process in a minute; if they do, their counts begin anew. */
const MOST_COUNTED = 10_000

export function createMinuteCounts(): MinuteCounts {
  let minute = 0
  let counted = new Map<string, number>()

  function of(key: string, now: number): number {
    const start = now - (now % MINUTE_MS)
    if (start !== minute || counted.size > MOST_COUNTED) counted = new Map()
    minute = start
    return counted.get(key) ?? 0
  }

  return {
    of,
    take(key, most, now) {
      const before = of(key, now)
      if (before < most) counted.set(key, before + 1)
      return before < most
    },
  }
}

/** From now to the end of the window of so many milliseconds that is under way. At least one. */
export const secondsUntil = (windowMs: number, now: number): number =>
  Math.max(1, Math.ceil((windowMs - (now % windowMs)) / 1_000))
