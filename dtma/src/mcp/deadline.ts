export interface Limit {
  readonly ms: number
  /** Ends the work before its time is over. */
  readonly signal: AbortSignal
  /** Aborted then, and may be aborted by whoever else has a reason. Absent: nobody else has. */
  readonly end?: AbortController
  /** What is thrown when the time was over. */
  readonly tooLate: (cause: unknown) => Error
}

/**
 * Runs `work` with a signal that aborts when its time is over. Nothing is left of it when the work ends: `AbortSignal.timeout`
 * and `AbortSignal.any` live on until the time is over, which at ten thousand calls a second is a gigabyte.
 */
export async function withDeadline<Result>(
  { ms, signal, end = new AbortController(), tooLate }: Limit,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  let late = false
  const timer = setTimeout(() => {
    late = true
    end.abort(new Error(`nothing came within ${ms} ms`))
  }, ms)
  const abort = () => end.abort(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  try {
    return await work(end.signal)
  } catch (error) {
    throw late ? tooLate(error) : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
