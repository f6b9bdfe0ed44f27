import { cn } from './cn.ts'

/** The mark: a toolbox whose handle is an A. */
export const Mark = ({ className }: { className?: string }) => (
  <svg viewBox="0 0 32 32" aria-hidden="true" className={cn('size-7 shrink-0', className)}>
    <path
      d="M8.5 15 14.4 5.1a1.9 1.9 0 0 1 3.2 0L23.5 15"
      className="fill-none stroke-mark"
      strokeWidth="3.2"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
    <rect x="2.5" y="14" width="27" height="14.5" rx="3.6" className="fill-mark" />
    <path d="M2.5 20.2h10.2M19.3 20.2h10.2" className="stroke-canvas" strokeOpacity=".5" strokeWidth="1.5" />
    <circle cx="16" cy="20.2" r="3.1" className="fill-copper" />
  </svg>
)
