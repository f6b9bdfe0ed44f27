import { cn } from './cn.ts'

/** How far something is; moves to and fro when that is not known. */
export function Progress({
  value,
  label,
  className,
}: {
  value: number | undefined
  label: string
  className?: string
}) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === undefined ? undefined : Math.round(value)}
      className={cn('h-1 overflow-hidden rounded-full bg-busy-soft', className)}
    >
      {value === undefined ? (
        <div className="h-full w-1/3 animate-slide rounded-full bg-busy" />
      ) : (
        <div
          className="h-full rounded-full bg-busy transition-[width] duration-500"
          style={{ width: `${Math.min(100, Math.max(2, value))}%` }}
        />
      )}
    </div>
  )
}
