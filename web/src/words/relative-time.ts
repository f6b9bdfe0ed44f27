const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long ago, or how long until: `4 s ago`, `in 3 d`. @param at ISO 8601. @param now Milliseconds since the epoch. */
export function relativeTime(at: string, now: number): string {
  const difference = now - Date.parse(at)
  if (Number.isNaN(difference)) return 'at an unknown time'
  if (Math.abs(difference) < SECOND) return 'now'
  // A token of 90 days that was made a moment ago ends in 90 days, not in 89: what is to come is rounded, what was is counted.
  return difference > 0 ? `${spanOf(difference)} ago` : `in ${spanOf(rounded(-difference))}`
}

/** To the nearest whole day, hour, minute or second: whichever {@link spanOf} would count in. */
function rounded(ms: number): number {
  const unit = ms < MINUTE ? SECOND : ms < 10 * HOUR ? MINUTE : ms < 2 * DAY ? HOUR : DAY
  return Math.round(ms / unit) * unit
}

/** A length of time in its two words at most: `4 s`, `12 min`, `3 h 20 min`, `5 d`. @param ms Not negative. */
export function spanOf(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < 10 * HOUR) {
    const minutes = Math.floor((ms % HOUR) / MINUTE)
    return `${Math.floor(ms / HOUR)} h${minutes ? ` ${minutes} min` : ''}`
  }
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / DAY)} d`
}

/** How soon the words of {@link relativeTime} are old, in milliseconds. */
export const stepOf = (at: string, now: number): number =>
  Math.abs(now - Date.parse(at)) < MINUTE ? SECOND : MINUTE / 2

/** The whole moment, in the reader's own zone and order. */
export const fullTime = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** Text of a server in which moments stand as ISO 8601, with each as the reader writes it. */
export const withOwnTimes = (text: string): string =>
  text.replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, fullTime)
