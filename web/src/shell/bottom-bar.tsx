import { Link } from '@tanstack/react-router'
import { PAGES } from './pages.ts'
import { WaitingCount } from './waiting-count.tsx'

/** Where one can go, under the thumb on a phone. */
export const BottomBar = () => (
  <nav
    aria-label="Pages"
    className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-6 border-line border-t bg-surface/95 pb-[env(safe-area-inset-bottom)] backdrop-blur md:hidden"
  >
    {PAGES.map(({ to, label, icon: Icon }) => (
      <Link
        key={to}
        to={to}
        activeOptions={{ exact: to === '/', includeSearch: false }}
        className="flex h-14 flex-col items-center justify-center gap-1 text-2xs text-ink-faint -outline-offset-2 data-[status=active]:font-medium data-[status=active]:text-accent"
      >
        <span className="relative">
          <Icon className="size-5" />
          {to === '/approvals' && <WaitingCount className="absolute -top-1.5 left-3" />}
        </span>
        {label}
      </Link>
    ))}
  </nav>
)
