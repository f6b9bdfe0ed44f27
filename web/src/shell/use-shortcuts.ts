import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { PAGES } from './pages.ts'

interface Shortcuts {
  readonly openPalette: () => void
  readonly openHelp: () => void
}

/** How long after `g` the second key counts. */
const CHORD_MS = 1_200

/** `/`, `?`, `g` and a letter, and Ctrl/⌘ K. Silent while something is typed or a dialog is open. */
export function useShortcuts({ openPalette, openHelp }: Shortcuts): void {
  const navigate = useNavigate()
  const chordUntil = useRef(0)

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        openPalette()
        return
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || hasDialog()) return
      if (event.timeStamp < chordUntil.current) {
        chordUntil.current = 0
        const page = PAGES.find(({ key }) => key === event.key)
        if (page) void navigate({ to: page.to })
        return
      }
      if (event.key === 'g') chordUntil.current = event.timeStamp + CHORD_MS
      else if (event.key === '?') openHelp()
      else if (event.key === '/') {
        event.preventDefault()
        const search = document.querySelector<HTMLInputElement>('[data-page-search]')
        if (search) search.focus()
        else openPalette()
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [navigate, openPalette, openHelp])
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))

const hasDialog = (): boolean => document.querySelector('[role=dialog], [role=menu], [role=listbox]') !== null
