import { cva, type VariantProps } from 'class-variance-authority'
import { Slot } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cn } from './cn.ts'

const look = cva(
  'inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md font-medium text-sm transition-colors duration-100 disabled:cursor-not-allowed disabled:opacity-45 aria-busy:cursor-progress [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      kind: {
        primary: 'bg-accent text-on-accent not-disabled:hover:bg-accent-hover',
        plain: 'border border-line-strong/80 bg-surface text-ink shadow-card not-disabled:hover:bg-hover',
        quiet: 'text-ink-soft not-disabled:hover:bg-hover not-disabled:hover:text-ink',
        danger: 'border border-bad/45 bg-surface text-bad not-disabled:hover:bg-bad-soft',
        destroy: 'bg-bad text-surface not-disabled:hover:opacity-90',
      },
      size: {
        normal: 'h-8.5 px-3',
        small: 'h-7 px-2.5 text-xs [&_svg]:size-3.5',
        icon: 'size-8',
        tiny: 'size-6.5 [&_svg]:size-3.5',
      },
    },
    defaultVariants: { kind: 'plain', size: 'normal' },
  },
)

export interface ButtonProps extends ComponentProps<'button'>, VariantProps<typeof look> {
  /** The child is the button: for links that look like one. */
  readonly asChild?: boolean
  /** The server was asked and has not answered. */
  readonly pending?: boolean
}

export function Button({ className, kind, size, asChild, pending, disabled, type, children, ...props }: ButtonProps) {
  const classes = cn(look({ kind, size }), className)
  if (asChild)
    return (
      <Slot.Root className={classes} {...props}>
        {children}
      </Slot.Root>
    )
  return (
    <button
      type={type ?? 'button'}
      className={cn(classes, pending && 'relative overflow-hidden')}
      disabled={disabled || pending}
      aria-busy={pending || undefined}
      {...props}
    >
      {children}
      {pending && <span className="absolute inset-x-0 bottom-0 h-0.5 w-1/3 animate-slide bg-current opacity-70" />}
    </button>
  )
}
