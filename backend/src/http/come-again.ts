import { PROBLEMS, type ProblemCode, ProblemError } from '@agentopia/api'

/** Refused for now; the answer says when to come again (`Retry-After`). */
export class ComeAgain extends ProblemError {
  readonly retryAfterSeconds: number

  constructor(code: ProblemCode, detail: string, retryAfterSeconds: number) {
    super(code, PROBLEMS[code], detail)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** After a database that was killed is back, as measured; one that is not by then is asked for again. */
const STORE_BACK_SECONDS = 2

/** When a refusal may be asked again, in seconds; `undefined` where only a change helps. */
export function retryAfterOf(error: ProblemError): number | undefined {
  if (error instanceof ComeAgain) return error.retryAfterSeconds
  return error.code === 'store-unavailable' ? STORE_BACK_SECONDS : undefined
}
