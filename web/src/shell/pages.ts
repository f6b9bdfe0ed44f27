import { Bot, Hand, LayoutGrid, LibraryBig, ScrollText, Settings2 } from 'lucide-react'

/** The pages that are always one step away. `key` follows `g`. */
export const PAGES = [
  { to: '/', label: 'Overview', icon: LayoutGrid, key: 'o' },
  { to: '/catalog', label: 'Catalogue', icon: LibraryBig, key: 'c' },
  { to: '/agents', label: 'Agents', icon: Bot, key: 'a' },
  { to: '/approvals', label: 'Approvals', icon: Hand, key: 'p' },
  { to: '/calls', label: 'Calls', icon: ScrollText, key: 'l' },
  { to: '/settings', label: 'Settings', icon: Settings2, key: 's' },
] as const
