import { useNow } from '../api/use-now.ts'
import { fullTime, relativeTime, spanOf, stepOf } from '../words/relative-time.ts'

/** How long ago, kept true while it is shown. */
export function RelativeTime({ at, className }: { at: string; className?: string }) {
  const now = useNow((current) => stepOf(at, current))
  return (
    <time dateTime={at} title={fullTime(at)} className={className}>
      {relativeTime(at, now)}
    </time>
  )
}

/** For how long something has been so: `4 min`. */
export function Elapsed({ since }: { since: string }) {
  const now = useNow((current) => stepOf(since, current))
  return (
    <time dateTime={since} title={fullTime(since)}>
      {spanOf(Math.max(0, now - Date.parse(since)))}
    </time>
  )
}
