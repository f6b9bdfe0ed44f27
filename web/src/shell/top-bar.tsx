import { Link } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { Button } from '../parts/button.tsx'
import { Mark } from '../parts/mark.tsx'
import { ConnectionLight } from './connection-light.tsx'

/** The head of every page on a phone. */
export const TopBar = ({ openPalette }: { openPalette: () => void }) => (
  <header className="sticky top-0 z-30 flex h-13 items-center gap-3 border-line border-b bg-sunken/95 px-4 backdrop-blur md:hidden">
    <Link to="/" aria-label="Agentopia, overview" className="flex items-center gap-2">
      <Mark className="size-6" />
      <span className="font-semibold text-base tracking-[-0.02em]">Agentopia</span>
    </Link>
    <ConnectionLight className="ml-auto" />
    <Button kind="quiet" size="icon" aria-label="Jump to" onClick={openPalette}>
      <Search />
    </Button>
  </header>
)
