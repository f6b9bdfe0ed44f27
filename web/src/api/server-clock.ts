/** How far the server's clock is ahead of this one, in milliseconds. Times on the page are told by the server's. */
let aheadMs = 0

/** `Date` has whole seconds: less than this is no difference. */
const NOISE_MS = 2_000

/** @param date The `Date` header of an answer. @param localMs When it arrived, by this clock. */
export function noteServerTime(date: string | null, localMs: number): void {
  const serverMs = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(serverMs)) return
  const difference = serverMs + 500 - localMs
  aheadMs = Math.abs(difference) < NOISE_MS ? 0 : difference
}

/** Milliseconds since the epoch, by the server's clock as far as we know it. */
export const serverNow = (): number => Date.now() + aheadMs
