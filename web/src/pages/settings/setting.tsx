import type { ComponentProps, ReactNode } from 'react'
import { Select } from '../../parts/select.tsx'

interface SettingProps extends Pick<ComponentProps<typeof Select>, 'disabled' | 'value' | 'onChange' | 'options'> {
  readonly label: string
  /** What it means, beside it. */
  readonly note: ReactNode
}

/** One choice, and what it means. */
export function Setting({ label, note, ...select }: SettingProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
      <Select aria-label={label} className="w-40" {...select} />
      <span className="min-w-0 flex-1 basis-full text-ink-soft sm:basis-0">{note}</span>
    </div>
  )
}
