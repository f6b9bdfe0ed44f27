import type { ReactNode } from 'react'
import { cn } from './cn.ts'

interface EmptyStateProps {
  readonly icon: ReactNode
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
  readonly className?: string
}

/** Nothing is here yet: why, and what would put something here. */
export const EmptyState = ({ icon, title, children, action, className }: EmptyStateProps) => (
  <div
    className={cn(
      'pegboard flex flex-col items-center rounded-lg border border-line-strong border-dashed px-6 py-12 text-center',
      className,
    )}
  >
    <span className="grid size-11 place-items-center rounded-lg border border-line bg-surface text-accent shadow-card [&_svg]:size-5">
      {icon}
    </span>
    <h2 className="mt-4 font-semibold text-base">{title}</h2>
    {children && <div className="mt-1 max-w-md text-pretty bg-canvas/70 text-ink-soft text-sm">{children}</div>}
    {action && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
  </div>
)
