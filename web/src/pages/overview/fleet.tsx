import type { Toolbox } from '@agentopia/api'
import { LayoutGrid, Rows3 } from 'lucide-react'
import { cn } from '../../parts/cn.ts'
import { useRemembered } from '../../shell/use-remembered.ts'
import { FleetTable } from './fleet-table.tsx'
import { ToolboxCard } from './toolbox-card.tsx'

const VIEWS = [
  ['cards', 'As cards', LayoutGrid],
  ['table', 'As a table', Rows3],
] as const

/** All toolboxes: as cards while they are few, as a table when they are many, or as was chosen. */
export function Fleet({ toolboxes }: { toolboxes: readonly Toolbox[] }) {
  const [view, setView] = useRemembered('fleet-view', toolboxes.length > 9 ? 'table' : 'cards')
  return (
    <section aria-label="Toolboxes">
      <div className="mb-3 flex items-center justify-between">
        <h2 className="font-semibold text-base">Toolboxes</h2>
        {toolboxes.length > 1 && (
          <div className="flex rounded-md border border-line p-0.5">
            {VIEWS.map(([value, label, Icon]) => (
              <button
                key={value}
                type="button"
                aria-pressed={view === value}
                aria-label={label}
                title={label}
                onClick={() => setView(value)}
                className={cn(
                  'grid size-6.5 place-items-center rounded-sm text-ink-faint hover:text-ink',
                  view === value && 'bg-hover text-ink',
                )}
              >
                <Icon className="size-3.5" />
              </button>
            ))}
          </div>
        )}
      </div>
      {view === 'table' ? (
        <FleetTable toolboxes={toolboxes} />
      ) : (
        <div
          className={cn(
            'grid gap-4',
            toolboxes.length > 1 && 'md:grid-cols-2',
            toolboxes.length > 2 && 'xl:grid-cols-3',
          )}
        >
          {toolboxes.map((toolbox) => (
            <ToolboxCard key={toolbox.id} toolbox={toolbox} />
          ))}
        </div>
      )}
    </section>
  )
}
