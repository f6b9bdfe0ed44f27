import type { Clock } from './clock.ts'

/** Keys come from requests: the oldest are forgotten rather than filling the memory. */
const MOST_KNOWN = 10_000

/** Says yes to each key at most once within so many milliseconds, in this process: what is done then need not be done at every use. */
export function createSeldom(clock: Pick<Clock, 'steady'>, everyMs: number): (key: string) => boolean {
  const doneAt = new Map<string, number>()

  return (key) => {
    const now = clock.steady()
    if (now - (doneAt.get(key) ?? Number.NEGATIVE_INFINITY) < everyMs) return false
    doneAt.delete(key) // to the end of the order: it was done last
    doneAt.set(key, now)
    if (doneAt.size > MOST_KNOWN) doneAt.delete(doneAt.keys().next().value!)
    return true
  }
}
