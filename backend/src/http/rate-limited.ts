import { ComeAgain } from './come-again.ts'

/** Refused for coming too often. */
export class RateLimited extends ComeAgain {
  constructor(detail: string, retryAfterSeconds: number) {
    super('rate-limited', detail, retryAfterSeconds)
  }
}
