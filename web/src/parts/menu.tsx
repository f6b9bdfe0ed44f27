import { DropdownMenu as Radix } from 'radix-ui'
import type { ComponentProps, ReactNode } from 'react'
import { cn } from './cn.ts'

interface MenuProps {
  /** The button that opens it. */
  readonly trigger: ReactNode
  readonly align?: 'start' | 'end'
  readonly side?: 'top' | 'bottom'
  readonly children: ReactNode
}

export const Menu = ({ trigger, align = 'end', side = 'bottom', children }: MenuProps) => (
  <Radix.Root modal={false}>
    <Radix.Trigger asChild>{trigger}</Radix.Trigger>
    <Radix.Portal>
      <Radix.Content
        align={align}
        side={side}
        sideOffset={5}
        className="z-50 min-w-48 animate-appear rounded-lg border border-line bg-surface p-1 shadow-float"
      >
        {children}
      </Radix.Content>
    </Radix.Portal>
  </Radix.Root>
)

export const MenuItem = ({
  className,
  danger,
  ...props
}: ComponentProps<typeof Radix.Item> & { readonly danger?: boolean }) => (
  <Radix.Item
    className={cn(
      'flex h-8 cursor-pointer select-none items-center gap-2.5 rounded-sm px-2 text-sm outline-none data-disabled:pointer-events-none data-highlighted:bg-hover data-disabled:opacity-45 [&_svg]:size-4 [&_svg]:text-ink-faint',
      danger && 'text-bad data-highlighted:bg-bad-soft [&_svg]:text-bad',
      className,
    )}
    {...props}
  />
)

export const MenuSeparator = () => <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
