const LONGEST_MS = 15_000

/** How long to wait after so many failures in a row. @param random Between 0 and 1: pages must not all come back at once. */
export const backoffMs = (failures: number, random: number): number =>
  Math.round(Math.min(LONGEST_MS, 1_000 * 2 ** failures) * (0.75 + random / 2))
