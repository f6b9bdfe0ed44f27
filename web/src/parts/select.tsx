import { Check, ChevronDown } from 'lucide-react'
import { Select as Radix } from 'radix-ui'
import { type ReactNode, useId } from 'react'
import { cn } from './cn.ts'
import type { FieldControl } from './field.tsx'

interface Option {
  readonly value: string
  readonly label: ReactNode
  readonly note?: ReactNode
  readonly disabled?: boolean
}

interface SelectProps extends Partial<FieldControl> {
  readonly value: string | undefined
  readonly onChange: (value: string) => void
  readonly options: readonly Option[]
  readonly placeholder?: string
  readonly disabled?: boolean
  readonly className?: string
  readonly 'aria-label'?: string
}

/** One of some. */
export function Select({ value, onChange, options, placeholder, disabled, className, ...control }: SelectProps) {
  return (
    <Radix.Root value={value ?? ''} onValueChange={onChange} disabled={disabled ?? false}>
      <Radix.Trigger
        className={cn(
          'flex h-8.5 w-full items-center justify-between gap-2 rounded-md border border-line-strong bg-surface px-2.5 text-left text-ink text-sm shadow-card transition-colors hover:border-ink-faint/60 disabled:opacity-50 aria-invalid:border-bad data-placeholder:text-ink-faint',
          className,
        )}
        {...control}
      >
        <span className="truncate">
          <Radix.Value placeholder={placeholder ?? 'Choose'} />
        </span>
        <ChevronDown className="size-3.5 shrink-0 text-ink-faint" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-60 max-h-80 min-w-(--radix-select-trigger-width) animate-appear overflow-hidden rounded-lg border border-line bg-surface shadow-float"
        >
          <Radix.Viewport className="p-1">
            {options.map((option) => (
              <Item key={option.value} {...option} />
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** Called by all that is shown of it: Radix calls it by its label alone, and who hears the list would miss a price in the note. */
function Item({ value, label, note, disabled }: Option) {
  const id = useId()
  const [labelId, noteId] = [`${id}-label`, `${id}-note`]
  return (
    <Radix.Item
      value={value}
      disabled={disabled ?? false}
      aria-labelledby={note ? `${labelId} ${noteId}` : labelId}
      className="flex min-h-8 cursor-pointer select-none items-center gap-2 rounded-sm py-1 pr-2 pl-2 text-sm outline-none data-highlighted:bg-hover data-disabled:opacity-45"
    >
      <span className="grid size-3.5 place-items-center text-accent">
        <Radix.ItemIndicator>
          <Check className="size-3.5" />
        </Radix.ItemIndicator>
      </span>
      <Radix.ItemText id={labelId}>{label}</Radix.ItemText>
      {note && (
        <span id={noteId} className="ml-auto pl-4 text-ink-faint text-xs">
          {note}
        </span>
      )}
    </Radix.Item>
  )
}
