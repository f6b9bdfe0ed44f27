import { getInfo, getMe } from '@agentopia/api'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef, useState } from 'react'
import { useConnection } from '../api/connection.ts'
import { useChanges } from '../api/use-changes.ts'
import { useOperation } from '../api/use-operation.ts'
import { Mark } from '../parts/mark.tsx'
import { PresenceDialog } from '../parts/presence-dialog.tsx'
import { ProblemNotice } from '../parts/problem-notice.tsx'
import { BottomBar } from './bottom-bar.tsx'
import { Sidebar } from './sidebar.tsx'
import { TopBar } from './top-bar.tsx'
import { useAllPages } from './use-all-pages.ts'
import { useShortcuts } from './use-shortcuts.ts'

const loadPalette = () => import('./palette.tsx')
const loadHelpSheet = () => import('./help-sheet.tsx')
const Palette = lazy(() => loadPalette().then((module) => ({ default: module.Palette })))
const HelpSheet = lazy(() => loadHelpSheet().then((module) => ({ default: module.HelpSheet })))
const SHEETS = [loadPalette, loadHelpSheet]

/** What stands around every page. Waits until it is known who is signed in. */
export function Shell() {
  const me = useOperation(getMe, {})
  const [sheet, setSheet] = useState<'palette' | 'help'>()
  const openPalette = useCallback(() => setSheet('palette'), [])
  const openHelp = useCallback(() => setSheet('help'), [])
  useShortcuts({ openPalette, openHelp })
  useChanges(me.data?.user.id)
  useAllPages(me.data !== undefined, SHEETS)

  if (!me.data) return <Waiting error={me.error} onRetry={() => void me.refetch()} />
  return (
    <>
      <a
        href="#content"
        className="fixed top-2 left-2 z-60 -translate-y-16 rounded-md bg-accent px-3 py-2 font-medium text-on-accent focus:translate-y-0"
      >
        Skip to the content
      </a>
      <div className="flex min-h-dvh">
        <Sidebar openPalette={openPalette} />
        <div className="flex min-w-0 flex-1 flex-col">
          <TopBar openPalette={openPalette} />
          <Away />
          <Recovering />
          <Content />
        </div>
      </div>
      <BottomBar />
      <PresenceDialog />
      <Suspense>
        {sheet === 'palette' && <Palette open onClose={() => setSheet(undefined)} />}
        {sheet === 'help' && <HelpSheet open onClose={() => setSheet(undefined)} />}
      </Suspense>
    </>
  )
}

function Content() {
  const main = useRef<HTMLElement>(null)
  const place = useRouterState({ select: ({ location }) => location.pathname.split('/').slice(0, 3).join('/') })
  const before = useRef(place)
  useEffect(() => {
    // A new page is read from its beginning, also by a screen reader.
    if (before.current !== place) main.current?.focus({ preventScroll: true })
    before.current = place
  }, [place])
  return (
    <main
      ref={main}
      id="content"
      tabIndex={-1}
      className="mx-auto w-full max-w-300 flex-1 px-4 pt-5 pb-24 outline-none sm:px-7 md:pt-7 md:pb-14"
    >
      <Outlet />
    </main>
  )
}

/** Says quietly that what is shown may be old. */
function Away() {
  const connection = useConnection()
  if (connection.state !== 'reconnecting') return null
  return (
    <Band>
      The control plane does not answer. What you see may be old; the page connects again by itself. Tools keep running.
    </Band>
  )
}

const RECOVERY_EVERY_MS = 60_000

/** Says that what is asked for is not carried out now. */
function Recovering() {
  const info = useOperation(getInfo, {}, { everyMs: RECOVERY_EVERY_MS })
  if (!info.data?.recoveringSince) return null
  return (
    <Band role="status">
      The database was restored from a copy: nothing is carried out on toolboxes or at DigitalOcean. On the machine of
      the control plane, <code className="font-mono">npm run recovery</code> says what differs, and{' '}
      <code className="font-mono">npm run end-recovery</code> lets it act again.
    </Band>
  )
}

/** What holds for all that is shown below it. */
function Band({ role, children }: { readonly role?: 'status'; readonly children: ReactNode }) {
  return (
    <p role={role} className="border-warn/25 border-b bg-warn-soft px-4 py-1.5 text-center text-ink text-xs sm:px-7">
      {children}
    </p>
  )
}

function Waiting({ error, onRetry }: { error: Error | null; onRetry: () => void }) {
  return (
    <div className="pegboard grid min-h-dvh place-items-center p-6">
      <div className="w-full max-w-md">
        <Mark className={error ? 'mx-auto size-10' : 'mx-auto size-10 animate-breathe'} />
        {error ? (
          <ProblemNotice error={error} onRetry={onRetry} className="mt-6" />
        ) : (
          <p role="status" className="sr-only">
            Loading
          </p>
        )}
      </div>
    </div>
  )
}
