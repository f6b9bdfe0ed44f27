import { randomUUID } from 'node:crypto'
import { ProblemError } from '../contract/problem.ts'
import { problem } from '../contract/problems.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { Log } from '../log.ts'
import { type HttpReply, jsonReply } from './exchange.ts'

/** The one place where an error becomes a reply, and the one place where it is logged. */
export const problemReply =
  (log: Log) =>
  (error: unknown): HttpReply => {
    const known = problemOf(error)
    const instance = randomUUID()
    const document = known.toDocument(instance)
    // The caller of a 4xx knows what went wrong. Of a 5xx only we can know, so only that is an error to us.
    if (document.status >= 500 && known.code !== 'unconfigured')
      log.error('request failed', { instance, code: known.code, error: known.cause ?? known })
    return jsonReply(document, document.status, 'application/problem+json')
  }

function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof EngineError && (error.fault === 'down' || error.fault === 'hung'))
    return problem('engine-unavailable', error.message, { cause: error })
  return problem('internal', 'The failure is in the log of DTMA under this instance id', { cause: error })
}
