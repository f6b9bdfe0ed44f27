import { PROBLEMS, ProblemError } from '@agentopia/api'

/** Refused for coming too often; the answer says when to come again (`Retry-After`). */
export class RateLimited extends ProblemError {
  readonly retryAfterSeconds: number

  constructor(detail: string, retryAfterSeconds: number) {
    super('rate-limited', PROBLEMS['rate-limited'], detail)
    this.retryAfterSeconds = retryAfterSeconds
  }
}
