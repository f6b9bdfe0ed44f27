import { httpFetch } from '../uplink/http-fetch.ts'

/** One that answers nothing within this time is not reached. */
const PATIENCE_MS = 5_000

/** @returns Why the index of packages at this address does not answer; `undefined`: it does, with whatever. */
export async function whyNotReached(url: string, signal: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
  try {
    await httpFetch(url, { method: 'HEAD', signal: limit })
    return undefined
  } catch (error) {
    if (signal.aborted) throw error
    if (limit.aborted) return `no answer in ${PATIENCE_MS / 1_000} s`
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
