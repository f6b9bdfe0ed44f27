import { PROBLEMS, type ProblemCode, ProblemError } from '@agentopia/api'

/** Refused for now; the answer says when to come again (`Retry-After`). */
export class ComeAgain extends ProblemError {
  readonly retryAfterSeconds: number

  constructor(code: ProblemCode, detail: string, retryAfterSeconds: number) {
    super(code, PROBLEMS[code], detail)
    this.retryAfterSeconds = retryAfterSeconds
  }
}
