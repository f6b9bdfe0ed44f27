import type { Clock } from '../reconcile/clock.ts'

export interface GatheredDeps {
  readonly clock: Pick<Clock, 'sleep'>
  /** Each key is passed on at most once in so many milliseconds. */
  readonly everyMs: number
  /** Nothing is passed on after it. */
  readonly signal: AbortSignal
}

/** So many keys at once; what is said of others within the time is not passed on. */
export const MOST_GATHERED = 1_000

/**
 * Passes on what is said of a key: the first at once, and of all that follows within `everyMs` the last, when that time is over.
 * @returns What to call; `pass` must not throw.
 */
export function createGathered({ clock, everyMs, signal }: GatheredDeps): (key: string, pass: () => void) => void {
  /** What waits for the end of its key's time; `undefined`: nothing was said since. */
  const last = new Map<string, (() => void) | undefined>()

  async function begin(key: string, pass: () => void): Promise<void> {
    for (let next: (() => void) | undefined = pass; next && !signal.aborted; next = last.get(key)) {
      last.set(key, undefined)
      next()
      await clock.sleep(everyMs, signal)
    }
    last.delete(key)
  }

  return (key, pass) => {
    if (last.has(key)) last.set(key, pass)
    else if (last.size < MOST_GATHERED) void begin(key, pass)
  }
}
