import type { ReactNode } from 'react'
import { cn } from './cn.ts'

/** A small fact about a thing; never its state. */
export const Badge = ({ children, className }: { children: ReactNode; className?: string }) => (
  <span
    className={cn(
      'inline-flex h-5.5 items-center gap-1 whitespace-nowrap rounded-sm border border-line px-1.5 text-2xs text-ink-soft [&_svg]:size-3',
      className,
    )}
  >
    {children}
  </span>
)
