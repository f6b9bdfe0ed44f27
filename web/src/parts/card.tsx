import type { ComponentProps, ReactNode } from 'react'
import { cn } from './cn.ts'

export const Card = ({ className, ...props }: ComponentProps<'section'>) => (
  <section className={cn('rounded-lg border border-line bg-surface shadow-card', className)} {...props} />
)

interface CardHeaderProps {
  readonly title: ReactNode
  readonly note?: ReactNode
  readonly children?: ReactNode
}

/** What the card is about, and what can be done with all of it. */
export const CardHeader = ({ title, note, children }: CardHeaderProps) => (
  <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2">
    <h2 className="font-semibold text-base">{title}</h2>
    {note && <p className="text-ink-faint text-xs">{note}</p>}
    {children && <div className="ml-auto flex items-center gap-2">{children}</div>}
  </header>
)
