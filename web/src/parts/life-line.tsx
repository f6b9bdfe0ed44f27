import { useConnection } from '../api/connection.ts'
import { useNow } from '../api/use-now.ts'
import { cn } from './cn.ts'

/** Each segment is five seconds of silence; a heartbeat every ten is usual, at thirty it is suspect, at sixty it is called. */
const SEGMENTS = 12
const SEGMENT_MS = 5_000

interface LifeLineProps {
  /** When the last heartbeat came; absent: none ever did. */
  readonly at: string | undefined
  readonly className?: string
}

/** The silence since the last heartbeat: fills as time passes, and is swept clean by the next one. */
export function LifeLine({ at, className }: LifeLineProps) {
  const now = useNow()
  const connection = useConnection()
  // While the control plane is away nothing is known of heartbeats: the line stands still, at what was seen last.
  const seenUntil = connection.state === 'reconnecting' ? connection.since : now
  const silence = at === undefined ? Number.POSITIVE_INFINITY : Math.max(0, seenUntil - Date.parse(at))
  const filled = Math.min(SEGMENTS, Math.floor(silence / SEGMENT_MS) + 1)
  return (
    <span aria-hidden className={cn('flex h-1.5 gap-0.75', className)}>
      {Array.from({ length: SEGMENTS }, (_, segment) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: segments are their places
          key={segment}
          className={cn(
            'flex-1 rounded-[1px] transition-colors duration-300',
            segment >= filled || at === undefined ? 'bg-hover' : colourOf(segment),
            segment === 5 && 'mr-0.75',
          )}
        />
      ))}
    </span>
  )
}

const colourOf = (segment: number): string => (segment < 3 ? 'bg-ok' : segment < 6 ? 'bg-ok/55' : 'bg-warn')
