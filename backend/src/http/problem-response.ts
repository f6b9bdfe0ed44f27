import { type ProblemDocument, ProblemError, problem } from '@agentopia/api'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Log } from '../log.ts'
import { retryAfterOf } from './come-again.ts'

/** The one place where an error becomes a response. */
export const problemResponse =
  (log: Log) =>
  (error: Error, c: Context): Response => {
    const { document, retryAfterSeconds } = problemOf(
      error,
      c.res.headers.get('x-request-id') ?? crypto.randomUUID(),
      log,
    )
    return c.json(document, document.status as ContentfulStatusCode, {
      'content-type': 'application/problem+json',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    })
  }

/** What an error is called on the wire, and the one place where it is logged. @param requestId Of the request that it ended. */
export function problemOf(
  error: unknown,
  requestId: string,
  log: Log,
): { readonly document: ProblemDocument; readonly retryAfterSeconds: number | undefined } {
  const known =
    error instanceof ProblemError
      ? error
      : problem('internal', 'The failure is in the log under this instance id', { cause: error })
  const document = known.toDocument(requestId)
  // The caller of a 4xx knows what went wrong. Of a 5xx only we can know, so only that is an error to us.
  if (document.status >= 500 && !hasLeft(error))
    log.error({ requestId, code: known.code, err: known.cause ?? known }, 'request failed')
  return { document, retryAfterSeconds: retryAfterOf(known) }
}

/** What Node throws to whoever reads what a client has not sent to the end. Strangers can do it as often as they like. */
const hasLeft = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ECONNRESET' && error.message === 'aborted'
