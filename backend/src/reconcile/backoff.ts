const USUAL = { firstMs: 1_000, longestMs: 60_000 }

/**
 * How long to wait after the `failures`-th failure in a row: 1 s, 2 s, 4 s … at most 60 s unless said otherwise, of which the upper
 * half is random, so that what failed together does not return together.
 * @param random Returns 0 to 1, as `Math.random` does.
 */
export function backoffMs(failures: number, random: () => number, { firstMs, longestMs } = USUAL): number {
  const full = Math.min(firstMs * 2 ** Math.min(failures - 1, 16), longestMs)
  return Math.round(full / 2 + (full / 2) * random())
}
