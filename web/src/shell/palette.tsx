import { listAgents, listCatalog, listInstances, listToolboxes } from '@agentopia/api'
import { useQueries } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Bot, type LucideIcon, Package, Search, Server, Wrench } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import { type KeyboardEvent, useId, useState } from 'react'
import { readingOf, useOperation } from '../api/use-operation.ts'
import { cn } from '../parts/cn.ts'
import { PAGES } from './pages.ts'
import { type Place, rankPlaces } from './places.ts'

interface Destination extends Place {
  readonly icon: LucideIcon
  readonly to: string
}

/** Jumps to any page, toolbox, tool instance, agent or catalogue entry by its name. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-shade backdrop-blur-[2px]" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-x-3 top-[12dvh] z-50 mx-auto max-w-xl animate-rise overflow-hidden rounded-xl border border-line bg-surface shadow-float outline-none"
        >
          <Radix.Title className="sr-only">Jump to</Radix.Title>
          <Destinations onClose={onClose} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

function Destinations({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const listId = useId()
  const [search, setSearch] = useState('')
  const [at, setAt] = useState(0)
  const found = rankPlaces(useDestinations(), search).slice(0, 12)
  const current = Math.min(at, Math.max(0, found.length - 1))

  function go(place: Destination | undefined): void {
    if (!place) return
    onClose()
    void navigate({ to: place.to })
  }

  function onKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step && found.length > 0) {
      event.preventDefault()
      setAt((current + step + found.length) % found.length)
    }
    if (event.key === 'Enter') go(found[current])
  }

  return (
    <>
      <div className="flex items-center gap-2.5 border-line border-b px-4">
        <Search className="size-4 text-ink-faint" aria-hidden />
        <input
          // biome-ignore lint/a11y/noAutofocus: whoever opens it wants to type
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={found[current] ? `${listId}-${current}` : undefined}
          aria-label="Jump to"
          placeholder="Jump to a toolbox, tool, agent or page"
          autoComplete="off"
          spellCheck={false}
          value={search}
          onChange={(event) => {
            setSearch(event.target.value)
            setAt(0)
          }}
          onKeyDown={onKey}
          className="h-12 w-full bg-transparent text-base outline-none"
        />
      </div>
      <div id={listId} role="listbox" aria-label="Places" className="max-h-[52dvh] overflow-y-auto p-1.5">
        {found.map((place, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the combobox's
          <div
            key={`${place.kind} ${place.to}`}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === current}
            tabIndex={-1}
            onPointerMove={() => setAt(index)}
            onClick={() => go(place)}
            className={cn(
              'flex h-9 cursor-pointer items-center gap-3 rounded-md px-2.5',
              index === current && 'bg-accent-soft',
            )}
          >
            <place.icon className="size-4 text-ink-faint" aria-hidden />
            <span className="truncate font-medium">{place.name}</span>
            <span className="ml-auto truncate text-ink-faint text-xs">{place.kind}</span>
          </div>
        ))}
        {found.length === 0 && <p className="px-3 py-6 text-center text-ink-faint">Nothing is called that.</p>}
      </div>
    </>
  )
}

function useDestinations(): readonly Destination[] {
  const page = { query: {} }
  const toolboxes = useOperation(listToolboxes, page).data?.items ?? []
  const agents = useOperation(listAgents, page).data?.items ?? []
  const tools = useOperation(listCatalog, page).data?.items ?? []
  const instances = useQueries({
    queries: toolboxes.map(({ id }) => readingOf(listInstances, { params: { toolboxId: id }, query: {} })),
  }).flatMap(({ data }) => data?.items ?? [])
  const nameOf = new Map(toolboxes.map(({ id, name }) => [id, name]))

  return [
    ...PAGES.map(({ label, to, icon }) => ({ name: label, kind: 'page', to, icon })),
    ...toolboxes.map(({ id, name }) => ({ name, kind: 'toolbox', to: `/toolboxes/${id}`, icon: Server })),
    ...instances.map(({ id, toolboxId, name }) => ({
      name,
      kind: `tool on ${nameOf.get(toolboxId) ?? 'a toolbox'}`,
      to: `/toolboxes/${toolboxId}/tools/${id}`,
      icon: Wrench,
    })),
    ...agents.map(({ id, name }) => ({ name, kind: 'agent', to: `/agents/${id}`, icon: Bot })),
    ...tools.map(({ id, title }) => ({ name: title, kind: 'catalogue', to: `/catalog?deploy=${id}`, icon: Package })),
  ]
}
