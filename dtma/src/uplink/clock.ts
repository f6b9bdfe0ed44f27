/** Time and chance, as arguments: tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch, as the machine believes: for telling, never for waiting, since anybody may set it. */
  now(): number
  /** Milliseconds since some moment, the same for as long as we run: nobody sets it. */
  steady(): number
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** 0 to 1, as `Math.random`. */
  random(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    }),
}

const LONGEST_MS = 60_000

/** Full jitter: anything up to 1 s, 2 s, 4 s … at most 60 s, so that what lost the control plane together does not return together. */
export const jitteredBackoffMs = (failures: number, random: () => number): number =>
  Math.round(Math.min(1_000 * 2 ** Math.min(failures - 1, 16), LONGEST_MS) * random()) + 50
