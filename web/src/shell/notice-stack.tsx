import { X } from 'lucide-react'
import { cn } from '../parts/cn.ts'
import { Glyph } from '../parts/glyph.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { dismiss, useNotices } from './notices.ts'

/** What is told in passing, at the foot of the page; spoken by screen readers. */
export function NoticeStack() {
  const notices = useNotices()
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-19 z-60 flex flex-col items-end gap-2 md:right-5 md:bottom-5 md:left-auto md:w-105"
    >
      {notices.map(({ id, tone, text, error }) => (
        <div
          key={id}
          className={cn(
            'pointer-events-auto relative max-w-full animate-rise rounded-lg bg-surface shadow-float',
            error === undefined ? 'border border-line' : 'w-full',
          )}
        >
          {error === undefined ? (
            <p className="flex items-center gap-2.5 py-2.5 pr-10 pl-4 text-sm">
              <Glyph tone={tone} />
              {text}
            </p>
          ) : (
            <ProblemNotice error={error} className="pr-10" />
          )}
          <button
            type="button"
            aria-label="Put away"
            onClick={() => dismiss(id)}
            className="absolute top-1.5 right-1.5 grid size-7 place-items-center rounded-md text-ink-faint hover:bg-hover hover:text-ink"
          >
            <X className="size-3.5" />
          </button>
        </div>
      ))}
    </div>
  )
}
