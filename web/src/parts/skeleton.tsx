import { cn } from './cn.ts'

/** The place of something that is on its way. */
export const Skeleton = ({ className }: { className?: string }) => (
  <span aria-hidden className={cn('block h-4 animate-shimmer rounded-sm bg-hover', className)} />
)

export const SkeletonRows = ({ rows = 4, className }: { rows?: number; className?: string }) => (
  <div role="status" aria-busy aria-label="Loading" className={cn('flex flex-col gap-3', className)}>
    {Array.from({ length: rows }, (_, row) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: rows of nothing have no identity
      <Skeleton key={row} className={row % 3 === 2 ? 'w-2/3' : 'w-full'} />
    ))}
  </div>
)
