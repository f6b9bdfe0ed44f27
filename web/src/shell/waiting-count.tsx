import { listApprovals } from '@agentopia/api'
import { useOperation } from '../api/use-operation.ts'
import { cn } from '../parts/cn.ts'

/** How many calls wait for a person: nothing while there are none. */
export function WaitingCount({ className }: { className?: string }) {
  const { data } = useOperation(listApprovals, { query: {} })
  const waiting = data?.items.length ?? 0
  if (waiting === 0) return null
  return (
    <span
      className={cn(
        'grid h-4.5 min-w-4.5 place-items-center rounded-full bg-accent px-1 font-semibold text-2xs text-on-accent tabular-nums',
        className,
      )}
    >
      {waiting}
      <span className="sr-only"> waiting</span>
    </span>
  )
}
