/** Time, as an argument: tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch: for what is shown, or kept beyond this process. Somebody may set it. */
  now(): number
  /** Milliseconds that only grow, from no moment in particular: for how long something took, or is to last, in this process. */
  steady(): number
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
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
