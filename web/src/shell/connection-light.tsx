import { useConnection } from '../api/connection.ts'
import { useNow } from '../api/use-now.ts'
import { cn } from '../parts/cn.ts'
import { spanOf } from '../words/relative-time.ts'

/** Whether what is shown is live. Quiet while it is; says since when it is not. */
export function ConnectionLight({ className }: { className?: string }) {
  const connection = useConnection()
  const now = useNow()
  const text =
    connection.state === 'live'
      ? 'Live'
      : connection.state === 'connecting'
        ? 'Connecting'
        : `Away for ${spanOf(Math.max(0, now - connection.since))}`
  return (
    <span
      role="status"
      className={cn('flex items-center gap-2 whitespace-nowrap text-ink-faint text-xs tabular-nums', className)}
    >
      <span
        aria-hidden
        className={cn('size-1.5 rounded-full', connection.state === 'live' ? 'bg-ok' : 'animate-breathe bg-warn')}
      />
      <span className={connection.state === 'reconnecting' ? 'font-medium text-warn' : undefined}>{text}</span>
    </span>
  )
}
