import type { ReactNode } from 'react'
import { cn } from './cn.ts'

/** Names and values, as a list of terms. What is absent is left out. */
export const Facts = ({
  facts,
  className,
}: {
  facts: readonly (readonly [string, ReactNode] | undefined | false)[]
  className?: string
}) => (
  <dl className={cn('grid grid-cols-[max-content_1fr] gap-x-5 gap-y-2 text-sm', className)}>
    {facts
      .filter((fact) => fact !== undefined && fact !== false)
      .map(([term, value]) => (
        <div key={term} className="contents">
          <dt className="text-ink-faint">{term}</dt>
          <dd className="wrap-anywhere min-w-0 text-ink">{value}</dd>
        </div>
      ))}
  </dl>
)
