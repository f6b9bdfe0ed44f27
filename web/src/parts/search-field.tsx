import { Search } from 'lucide-react'
import { cn } from './cn.ts'
import { Input } from './input.tsx'

interface SearchFieldProps {
  readonly value: string
  readonly onChange: (value: string) => void
  /** What is searched: `Search the catalogue`. */
  readonly label: string
  readonly className?: string
}

/** The page's own search; `/` goes there. */
export const SearchField = ({ value, onChange, label, className }: SearchFieldProps) => (
  <search className={cn('relative block', className)}>
    <Search
      className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-faint"
      aria-hidden
    />
    <Input
      type="search"
      data-page-search
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        if (value === '') event.currentTarget.blur()
        else onChange('')
      }}
      className="pr-8 pl-8.5 [&::-webkit-search-cancel-button]:hidden"
    />
    <kbd className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 rounded-sm border border-line px-1.25 text-2xs text-ink-faint max-sm:hidden">
      /
    </kbd>
  </search>
)
