import type { ServerResponse } from 'node:http'

/** With the few seconds for which a token is remembered, a revocation holds within 10 s on every replica. */
const EVERY_MS = 4_000

/** Cuts an answer that takes long, a stream above all, when its caller is not let in any more; what runs for it is cancelled. */
export function cutWhenRevoked(
  response: ServerResponse,
  isStillGood: () => Promise<boolean>,
  everyMs: number = EVERY_MS,
): void {
  const look = setInterval(() => {
    isStillGood().then(
      (good) => void (good || response.destroy()),
      () => {}, // no answer is no revocation; it is asked again
    )
  }, everyMs)
  response.once('close', () => clearInterval(look))
}
