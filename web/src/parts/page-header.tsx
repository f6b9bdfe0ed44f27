import { ChevronRight } from 'lucide-react'
import { Fragment, type ReactNode, useEffect } from 'react'

interface PageHeaderProps {
  readonly title: ReactNode
  /** Title of the browser's tab, when `title` is no text. */
  readonly tabTitle?: string | undefined
  /** Links to what contains this. */
  readonly trail?: readonly ReactNode[]
  readonly note?: ReactNode
  readonly children?: ReactNode
}

/** What the page is about; the only `h1` of it. */
export function PageHeader({ title, tabTitle, trail = [], note, children }: PageHeaderProps) {
  const spoken = tabTitle ?? (typeof title === 'string' ? title : undefined)
  useEffect(() => {
    document.title = spoken ? `${spoken} · Agentopia Toolboxes` : 'Agentopia Toolboxes'
  }, [spoken])
  return (
    <header className="mb-5 flex flex-wrap items-center gap-x-6 gap-y-3">
      <div className="min-w-0 flex-1 basis-80">
        {trail.length > 0 && (
          <nav aria-label="Where this is" className="mb-1 flex items-center gap-1 text-ink-faint text-xs">
            {trail.map((part, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a trail is its places
              <Fragment key={place}>
                {place > 0 && <ChevronRight className="size-3" aria-hidden />}
                <span className="[&_a:hover]:text-ink [&_a]:underline-offset-2 [&_a:hover]:underline">{part}</span>
              </Fragment>
            ))}
          </nav>
        )}
        <h1 className="flex flex-wrap items-center gap-x-3 gap-y-1 font-semibold text-xl tracking-[-0.018em]">
          {title}
        </h1>
        {note && <div className="mt-1 text-pretty text-ink-soft text-sm">{note}</div>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  )
}
