import { RotateCw } from 'lucide-react'
import { isLeaving } from '../api/presence.ts'
import { problemText, problemViewOf } from '../api/problem-view.ts'
import { Button } from './button.tsx'
import { cn } from './cn.ts'
import { CopyButton } from './copyable.tsx'
import { Glyph } from './glyph.tsx'

interface ProblemNoticeProps {
  readonly error: unknown
  /** Offered when trying again may help. */
  readonly onRetry?: (() => void) | undefined
  readonly className?: string
}

/** A failure, told whole: what, why, what to do, and under which id to find it. What the person himself left is none. */
export function ProblemNotice({ error, onRetry, className }: ProblemNoticeProps) {
  if (isLeaving(error))
    return (
      <p role="status" className={cn('text-pretty text-ink-soft text-xs', className)}>
        Nothing was done: you left the question whether it is you.
      </p>
    )
  const problem = problemViewOf(error)
  return (
    <div role="alert" className={cn('flex gap-3 rounded-lg border border-bad/25 bg-bad-soft px-4 py-3', className)}>
      <Glyph tone={problem.offline ? 'warn' : 'bad'} className="mt-1.25" />
      <div className="min-w-0 flex-1">
        <p className="font-semibold text-ink">{problem.title}</p>
        <p className="wrap-anywhere text-pretty text-ink-soft">{problem.detail}</p>
        <p className="mt-1 text-pretty text-ink">{problem.fix}</p>
        <p className="mt-1.5 flex flex-wrap items-center gap-x-3 font-mono text-2xs text-ink-soft">
          <span>{problem.code}</span>
          {problem.instance && <span className="truncate">{problem.instance}</span>}
          <CopyButton text={problemText(problem)} what="the problem" className="-my-1" />
        </p>
      </div>
      {onRetry && problem.retryable && (
        <Button size="small" onClick={onRetry}>
          <RotateCw />
          Try again
        </Button>
      )}
    </div>
  )
}
