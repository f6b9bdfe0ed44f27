import { signOut } from '@agentopia/api'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ChevronsUpDown, LogOut, Settings2 } from 'lucide-react'
import { useMe } from '../api/me.ts'
import { useAction } from '../api/use-action.ts'
import { Menu, MenuItem, MenuSeparator } from '../parts/menu.tsx'
import { notify } from './notices.ts'

/** Who is signed in, and the way out. */
export function UserMenu() {
  const me = useMe()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const out = useAction(signOut)
  if (!me) return null
  const name = me.user.name || me.user.email
  const leave = () =>
    out.mutate(
      {},
      {
        onSuccess: () => {
          queries.clear()
          void navigate({ to: '/sign-in' })
        },
        onError: (error) => notify({ tone: 'bad', text: '', error }),
      },
    )
  return (
    <Menu
      side="top"
      align="start"
      trigger={
        <button
          type="button"
          className="flex w-full items-center gap-2.5 rounded-md px-1.5 py-1.5 text-left hover:bg-hover data-[state=open]:bg-hover"
        >
          <span
            aria-hidden
            className="grid size-7 shrink-0 place-items-center rounded-full bg-accent-soft font-semibold text-accent text-xs uppercase"
          >
            {name.slice(0, 1)}
          </span>
          <span className="min-w-0 flex-1 leading-tight">
            <span className="block truncate font-medium text-sm">{name}</span>
            <span className="block truncate text-2xs text-ink-faint">
              {me.account.name} · {me.role}
            </span>
          </span>
          <ChevronsUpDown className="size-3.5 text-ink-faint" />
        </button>
      }
    >
      <MenuItem onSelect={() => void navigate({ to: '/settings' })}>
        <Settings2 />
        Settings
      </MenuItem>
      <MenuSeparator />
      <MenuItem onSelect={leave}>
        <LogOut />
        Sign out
      </MenuItem>
    </Menu>
  )
}
