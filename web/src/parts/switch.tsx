import { Switch as Radix } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cn } from './cn.ts'

/** On or off. Shows what the server said last; while it is asked, it waits. */
export const Switch = ({
  className,
  pending,
  disabled,
  ...props
}: ComponentProps<typeof Radix.Root> & { readonly pending?: boolean }) => (
  <Radix.Root
    className={cn(
      'relative inline-flex h-5 w-9 shrink-0 items-center rounded-full border border-line-strong bg-hover transition-colors disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent',
      pending && 'animate-breathe',
      className,
    )}
    disabled={disabled || pending || false}
    aria-busy={pending || undefined}
    {...props}
  >
    <Radix.Thumb className="block size-3.5 translate-x-0.75 rounded-full bg-ink-faint transition-transform data-[state=checked]:translate-x-4.25 data-[state=checked]:bg-on-accent" />
  </Radix.Root>
)
