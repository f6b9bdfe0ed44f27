import { ProblemError, problem } from '@agentopia/api'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Log } from '../log.ts'
import { ComeAgain } from './come-again.ts'

/** The one place where an error becomes a response, and the one place where it is logged. */
export const problemResponse =
  (log: Log) =>
  (error: Error, c: Context): Response => {
    const requestId = c.res.headers.get('x-request-id') ?? crypto.randomUUID()
    const known =
      error instanceof ProblemError
        ? error
        : problem('internal', 'The failure is in the log under this instance id', { cause: error })
    const document = known.toDocument(requestId)
    // The caller of a 4xx knows what went wrong. Of a 5xx only we can know, so only that is an error to us.
    if (document.status >= 500 && !hasLeft(error))
      log.error({ requestId, code: known.code, err: known.cause ?? known }, 'request failed')
    return c.json(document, document.status as ContentfulStatusCode, {
      'content-type': 'application/problem+json',
      ...(known instanceof ComeAgain ? { 'retry-after': String(known.retryAfterSeconds) } : {}),
    })
  }

/** What Node throws to whoever reads what a client has not sent to the end. Strangers can do it as often as they like. */
const hasLeft = (error: NodeJS.ErrnoException): boolean => error.code === 'ECONNRESET' && error.message === 'aborted'
