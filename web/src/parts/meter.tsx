import { percent } from '../words/quantity.ts'
import { cn } from './cn.ts'

interface MeterProps {
  readonly label: string
  /** 0 to 1; absent when it is not known. */
  readonly share: number | undefined
  /** In words: `1.2 of 4 GiB`. */
  readonly note?: string | undefined
  readonly className?: string
}

/** How much of something is in use. Above nine tenths it warns. */
export function Meter({ label, share, note, className }: MeterProps) {
  const value = share === undefined ? undefined : Math.min(1, Math.max(0, share))
  return (
    <div className={cn('min-w-0', className)}>
      <div className="flex items-baseline justify-between gap-1.5 text-xs">
        <span className="truncate text-ink-faint">{label}</span>
        <span className="shrink-0 text-ink-soft tabular-nums">
          {value === undefined ? '–' : (note ?? percent(value))}
        </span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers style a <meter> each in their own way. */}
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((value ?? 0) * 100)}
        aria-valuetext={value === undefined ? 'not known' : (note ?? percent(value))}
        className="mt-1 h-1 overflow-hidden rounded-full bg-hover"
      >
        <div
          className={cn(
            'h-full rounded-full transition-[width] duration-700',
            (value ?? 0) > 0.9 ? 'bg-warn' : 'bg-accent',
          )}
          style={{ width: `${(value ?? 0) * 100}%` }}
        />
      </div>
    </div>
  )
}
