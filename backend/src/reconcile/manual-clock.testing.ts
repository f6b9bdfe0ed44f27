import type { Clock } from './clock.ts'

export interface ManualClock extends Clock {
  /** Moves the time on, waking every sleeper at its own moment, and lets all that follows from it happen. */
  advance(ms: number): Promise<void>
  /** As somebody who sets it: nobody has slept meanwhile. */
  set(ms: number): void
  /** How many sleep now. */
  readonly sleepers: number
}

/** A clock that stands still until a test moves it. */
export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  /** What the clock says, beside what has passed. */
  let set = start
  let now = 0
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()

  return {
    now: () => set + now,
    steady: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const wake = () => {
          sleepers.delete(sleeper)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { until: now + ms, wake }
        sleepers.add(sleeper)
        signal.addEventListener('abort', wake)
      }),
    async advance(ms) {
      const end = now + ms
      await settle()
      for (;;) {
        const next = [...sleepers].sort((a, b) => a.until - b.until)[0]
        if (!next || next.until > end) break
        now = Math.max(now, next.until)
        next.wake()
        await settle()
      }
      now = end
      await settle()
    },
    set(ms) {
      set += ms
    },
    get sleepers() {
      return sleepers.size
    },
  }
}

/** Several turns of the event loop: enough for what is only promises and no I/O. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}
