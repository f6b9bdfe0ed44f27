import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { markedParts, type NumberedLine, plainText } from '../api/log-lines.ts'
import { cn } from './cn.ts'

interface LogLinesProps {
  readonly lines: readonly NumberedLine[]
  readonly search: string
  /** Stay at the end as lines arrive. */
  readonly follow: boolean
  /** Told when the reader leaves the end, or returns to it. */
  readonly onEnd: (atEnd: boolean) => void
  readonly label: string
  /** What stands here when there is no line. */
  readonly children: ReactNode
}

const LINE_PX = 20
/** Drawn above and below what is seen. */
const MARGIN = 20
/** A longer line is cut where it is shown; a copy has all of it. */
const LONGEST = 2_000

/** Lines of one height, of which only those in sight are drawn. */
export function LogLines({ lines, search, follow, onEnd, label, children }: LogLinesProps) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const first = Math.max(0, Math.floor(view.top / LINE_PX) - MARGIN)
  const last = Math.min(lines.length, Math.ceil((view.top + view.height) / LINE_PX) + MARGIN)

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what moves it
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [follow, lines])

  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => setView((now) => ({ ...now, height: element.clientHeight })))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  function onScroll(): void {
    const element = box.current
    if (!element) return
    setView({ top: element.scrollTop, height: element.clientHeight })
    onEnd(element.scrollHeight - element.scrollTop - element.clientHeight < LINE_PX * 2)
  }

  return (
    <div
      ref={box}
      role="log"
      aria-label={label}
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
      tabIndex={0}
      onScroll={onScroll}
      className="h-[min(62dvh,46rem)] overflow-auto bg-sunken/60 py-2 font-mono text-2xs -outline-offset-2"
    >
      {children ? (
        <p className="px-4 py-10 text-center font-sans text-ink-faint text-sm">{children}</p>
      ) : (
        <div className="relative w-max min-w-full" style={{ height: lines.length * LINE_PX }}>
          <div style={{ transform: `translateY(${first * LINE_PX}px)` }}>
            {lines.slice(first, last).map((line) => (
              <Line key={line.number} line={line} search={search} />
            ))}
          </div>
        </div>
      )}
    </div>
  )
}

function Line({ line, search }: { line: NumberedLine; search: string }) {
  const text = plainText(line.line)
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text
  return (
    <div className="flex h-5 whitespace-pre px-4 leading-5 hover:bg-hover">
      <span className="mr-3 shrink-0 select-none text-ink-faint" title={line.at}>
        {timeOf(line.at)}
      </span>
      <span
        title={line.stream}
        className={cn(
          'mr-3 w-0.5 shrink-0 self-stretch rounded-full',
          line.stream === 'stderr' ? 'bg-copper' : 'bg-line',
        )}
      />
      <span className="text-ink">
        {markedParts(cut, search).map(({ text: part, hit }, index) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a line are their places
          hit ? <mark key={index}>{part}</mark> : part,
        )}
      </span>
    </div>
  )
}

const timeOf = (at: string): string => {
  const time = new Date(at)
  return Number.isNaN(time.getTime()) ? '--:--:--' : time.toTimeString().slice(0, 8)
}
