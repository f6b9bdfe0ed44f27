const HOUR_MS = 3_600_000

/** How far back is looked. */
export const PERIODS = {
  hour: { words: 'Last hour', ms: HOUR_MS },
  day: { words: 'Last 24 hours', ms: 24 * HOUR_MS },
  week: { words: 'Last 7 days', ms: 7 * 24 * HOUR_MS },
  month: { words: 'Last 30 days', ms: 30 * 24 * HOUR_MS },
} as const

/** When a period began, ISO 8601; `undefined` for what is none. @param now Milliseconds since the epoch. */
export function beginOf(period: string | undefined, now: number): string | undefined {
  if (period === undefined || !Object.hasOwn(PERIODS, period)) return undefined
  return new Date(now - PERIODS[period as keyof typeof PERIODS].ms).toISOString()
}
