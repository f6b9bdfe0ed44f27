import type { Clock } from './clock.ts'

/**
 * What the clock said when this process first saw a time that is on record, plus what has passed since: now, whatever somebody set the
 * clock to meanwhile. What is counted from such a time is then due neither a day too early nor a day too late. While a machine sleeps
 * nothing passes.
 * @param time Of the thing called `key`, in any form; another one is seen anew. `undefined`: nothing is on record.
 * @returns Milliseconds since the epoch.
 */
export type NowSince = (key: string, time: number | string | undefined) => number

const MOST_SEEN = 20_000

export function createNowSince(clock: Pick<Clock, 'now' | 'steady'>): NowSince {
  const seen = new Map<string, { readonly time: number | string; readonly now: number; readonly steady: number }>()

  return (key, time) => {
    const now = clock.now()
    if (time === undefined) return now
    const steady = clock.steady()
    const before = seen.get(key)
    const first = before?.time === time ? before : { time, now, steady }
    seen.delete(key) // to the end of the order: it was looked at last
    seen.set(key, first)
    if (seen.size > MOST_SEEN) seen.delete(seen.keys().next().value!)
    return first.now + steady - first.steady
  }
}
