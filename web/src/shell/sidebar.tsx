import { listToolboxes } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { useOperation } from '../api/use-operation.ts'
import { cn } from '../parts/cn.ts'
import { Glyph } from '../parts/glyph.tsx'
import { Mark } from '../parts/mark.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toolFraction } from '../words/tool-counts.ts'
import { byUrgency, statusWords, toneOfToolbox } from '../words/toolbox-status.ts'
import { ConnectionLight } from './connection-light.tsx'
import { PAGES } from './pages.ts'
import { ThemeSwitch } from './theme-switch.tsx'
import { UserMenu } from './user-menu.tsx'
import { WaitingCount } from './waiting-count.tsx'

const LINK = cn(
  'group relative flex h-8 items-center gap-2.5 rounded-md px-2.5 font-medium text-ink-soft text-sm hover:bg-hover hover:text-ink',
  'data-[status=active]:bg-surface data-[status=active]:text-ink data-[status=active]:shadow-card data-[status=active]:ring-1 data-[status=active]:ring-line',
)

/** Where one can go, beside every page of a wide screen. */
export function Sidebar({ openPalette }: { openPalette: () => void }) {
  return (
    <aside className="sticky top-0 flex h-dvh w-58 shrink-0 flex-col border-line border-r bg-sunken max-md:hidden">
      <Link to="/" className="mx-3 mt-4 flex items-center gap-2.5 rounded-md px-1 py-1">
        <Mark />
        <span className="leading-tight">
          <span className="block font-semibold text-base tracking-[-0.02em]">Agentopia</span>
          <span className="block text-2xs text-ink-faint">Toolboxes</span>
        </span>
      </Link>
      <button
        type="button"
        onClick={openPalette}
        className="mx-3 mt-4 flex h-8 items-center gap-2 rounded-md border border-line bg-surface px-2.5 text-ink-faint text-sm shadow-card hover:border-line-strong hover:text-ink-soft"
      >
        <Search className="size-3.5" />
        Jump to
        <kbd className="ml-auto text-2xs">Ctrl K</kbd>
      </button>
      <nav aria-label="Pages" className="mx-3 mt-4 flex flex-col gap-0.5">
        {PAGES.map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }} className={LINK}>
            <Icon className="size-4 text-ink-faint group-data-[status=active]:text-accent" />
            {label}
            {to === '/approvals' && <WaitingCount className="ml-auto" />}
          </Link>
        ))}
      </nav>
      <ToolboxLinks />
      <div className="mt-auto flex flex-col gap-3 border-line border-t p-3">
        <div className="flex items-center justify-between px-1">
          <ConnectionLight />
          <ThemeSwitch />
        </div>
        <UserMenu />
      </div>
    </aside>
  )
}

function ToolboxLinks() {
  const { data, isPending } = useOperation(listToolboxes, { query: {} })
  const toolboxes = (data?.items ?? []).filter(({ status }) => status !== 'deprovisioned').toSorted(byUrgency)
  return (
    <nav aria-label="Toolboxes" className="mx-3 mt-6 flex min-h-0 flex-col">
      <h2 className="px-2.5 pb-1.5 font-medium text-2xs text-ink-faint tracking-normal">Toolboxes</h2>
      <ul className="-mx-1 flex min-h-0 flex-col gap-0.5 overflow-y-auto px-1 pb-2">
        {isPending && <Skeleton className="mx-2.5 my-2 h-3 w-28" />}
        {toolboxes.map((toolbox) => (
          <li key={toolbox.id}>
            <Link
              to="/toolboxes/$toolboxId/{-$tab}"
              params={{ toolboxId: toolbox.id, tab: undefined }}
              className={LINK}
            >
              <span className="grid size-4 place-items-center">
                <Glyph tone={toneOfToolbox(toolbox)} />
              </span>
              <span className="truncate">{toolbox.name}</span>
              <span className="sr-only">{statusWords(toolbox)}</span>
              <span className="ml-auto text-2xs text-ink-faint tabular-nums" aria-hidden>
                {toolFraction(toolbox)}
              </span>
            </Link>
          </li>
        ))}
        {data && toolboxes.length === 0 && <li className="px-2.5 text-ink-faint text-xs">None yet</li>}
      </ul>
    </nav>
  )
}
