import { useNow } from '../api/use-now.ts'
import { fullTime, relativeTime, stepOf } from '../words/relative-time.ts'

/** How long ago, kept true while it is shown. */
export function RelativeTime({ at, className }: { at: string; className?: string }) {
  const now = useNow((current) => stepOf(at, current))
  return (
    <time dateTime={at} title={fullTime(at)} className={className}>
      {relativeTime(at, now)}
    </time>
  )
}
