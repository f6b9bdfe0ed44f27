import { Monitor, Moon, Sun } from 'lucide-react'
import { cn } from '../parts/cn.ts'
import { setTheme, type Theme, useTheme } from './theme.ts'

const THEMES = [
  ['system', 'As the system', Monitor],
  ['light', 'Light', Sun],
  ['dark', 'Dark', Moon],
] as const satisfies readonly (readonly [Theme, string, typeof Sun])[]

/** Light, dark, or as the system has it. */
export function ThemeSwitch({ className }: { className?: string }) {
  const theme = useTheme()
  return (
    <div role="radiogroup" aria-label="Theme" className={cn('flex rounded-md border border-line p-0.5', className)}>
      {THEMES.map(([value, label, Icon]) => (
        // biome-ignore lint/a11y/useSemanticElements: three icons in a row are no form
        <button
          key={value}
          type="button"
          role="radio"
          aria-checked={theme === value}
          aria-label={label}
          title={label}
          onClick={() => setTheme(value)}
          className={cn(
            'grid size-6 place-items-center rounded-sm text-ink-faint hover:text-ink',
            theme === value && 'bg-hover text-ink',
          )}
        >
          <Icon className="size-3.5" />
        </button>
      ))}
    </div>
  )
}
