/** Does work that several may want at the same time once, and not too much of it at a time. */
export interface SharedWork<Progress, Result> {
  /**
   * Joins the work of this key, or begins it. Work that nobody waits for any more is aborted.
   * @param signal Of this caller: leaving does not disturb the others.
   */
  run(
    key: string,
    work: (report: (progress: Progress) => void, signal: AbortSignal) => Promise<Result>,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Result>
}

interface Job<Progress, Result> {
  readonly result: Promise<Result>
  readonly stop: AbortController
  readonly listeners: Set<(progress: Progress) => void>
  last?: Progress
}

/** @param limit How many keys are worked on at a time; the others wait their turn. @param waiting Shown to those. */
export function createSharedWork<Progress, Result>(limit: number, waiting: Progress): SharedWork<Progress, Result> {
  const jobs = new Map<string, Job<Progress, Result>>()
  const queue: (() => void)[] = []
  let busy = 0

  async function turn(signal: AbortSignal): Promise<void> {
    if (busy < limit) busy++
    else await new Promise<void>((resolve) => queue.push(resolve)) // takes over the place of one who has finished
    if (signal.aborted) {
      release()
      throw signal.reason
    }
  }

  function release(): void {
    const next = queue.shift()
    if (next) next()
    else busy--
  }

  function begin(key: string, work: Parameters<SharedWork<Progress, Result>['run']>[1]): Job<Progress, Result> {
    const stop = new AbortController()
    const listeners = new Set<(progress: Progress) => void>()
    const perform = async (): Promise<Result> => {
      report(waiting)
      await turn(stop.signal)
      try {
        return await work(report, stop.signal)
      } finally {
        release()
      }
    }
    const report = (progress: Progress) => {
      job.last = progress
      for (const listener of listeners) listener(progress)
    }
    const { promise: result, resolve, reject } = Promise.withResolvers<Result>()
    const job: Job<Progress, Result> = { result, stop, listeners }
    jobs.set(key, job)
    perform()
      .then(resolve, reject)
      .finally(() => jobs.get(key) === job && jobs.delete(key))
    return job
  }

  return {
    async run(key, work, onProgress, signal) {
      signal.throwIfAborted()
      const job = jobs.get(key) ?? begin(key, work)
      const listener = (progress: Progress) => onProgress(progress)
      job.listeners.add(listener)
      if (job.last !== undefined) onProgress(job.last)

      const left = Promise.withResolvers<never>()
      const leave = () => left.reject(signal.reason)
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave() // what was told just now may have been enough
      try {
        return await Promise.race([job.result, left.promise])
      } finally {
        signal.removeEventListener('abort', leave)
        job.listeners.delete(listener)
        if (job.listeners.size === 0 && signal.aborted) {
          jobs.delete(key)
          job.result.catch(() => undefined) // nobody is left to hear of it
          job.stop.abort(signal.reason)
        }
      }
    },
  }
}
