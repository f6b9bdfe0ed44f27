import { listCatalog, type Tool } from '@agentopia/api'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { LibraryBig, Plus } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { useMay } from '../api/me.ts'
import { useOperation } from '../api/use-operation.ts'
import { Button } from '../parts/button.tsx'
import { cn } from '../parts/cn.ts'
import { EmptyState } from '../parts/empty-state.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { SearchField } from '../parts/search-field.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { AddTool } from './catalog/add-tool.tsx'
import { DeployDialog } from './catalog/deploy-dialog.tsx'
import { ToolCard } from './catalog/tool-card.tsx'

/** What can be deployed. */
export function CatalogPage() {
  const { deploy, toolbox } = useSearch({ from: '/app/catalog' })
  const navigate = useNavigate()
  const [search, setSearch] = useState('')
  const [category, setCategory] = useState<string>()
  const [adding, setAdding] = useState(false)
  const mayAdd = useMay('admin')
  const wanted = useDeferredValue(search.trim().slice(0, 100))
  const tools = useOperation(listCatalog, { query: wanted === '' ? {} : { search: wanted } }, { keepPrevious: true })
  const onToolbox = toolbox === undefined ? {} : { toolbox }
  const open = (toolId: string) => void navigate({ to: '/catalog', search: { ...onToolbox, deploy: toolId } })
  const close = () => void navigate({ to: '/catalog', search: onToolbox })

  return (
    <>
      <PageHeader title="Catalogue" note="MCP servers that are pinned to an exact version, and run hardened.">
        <Button onClick={() => setAdding(true)} disabled={!mayAdd}>
          <Plus />
          Add a tool
        </Button>
      </PageHeader>
      <div className="mb-5 flex flex-wrap items-center gap-3">
        <SearchField value={search} onChange={setSearch} label="Search the catalogue" className="w-full sm:w-80" />
        <Categories tools={tools.data?.items ?? []} chosen={category} onChoose={setCategory} />
      </div>
      <Reading of={tools} skeleton={<CardsSkeleton />}>
        {({ items }) => {
          const shown = category === undefined ? items : items.filter(({ categories }) => categories.includes(category))
          return shown.length === 0 ? (
            <EmptyState
              icon={<LibraryBig />}
              title="No such tool"
              action={
                <Button
                  onClick={() => {
                    setSearch('')
                    setCategory(undefined)
                  }}
                >
                  Show all
                </Button>
              }
            >
              The curated tools were deployed and called as they are described here. Others you can add yourself.
            </EmptyState>
          ) : (
            <ul className="grid grid-cols-1 gap-4 sm:grid-cols-2 xl:grid-cols-3">
              {shown.map((tool) => (
                <li key={tool.id}>
                  <ToolCard tool={tool} onDeploy={() => open(tool.id)} />
                </li>
              ))}
            </ul>
          )
        }}
      </Reading>
      {adding && (
        <AddTool
          onClose={() => setAdding(false)}
          onAdded={(toolId) => {
            setAdding(false)
            open(toolId)
          }}
        />
      )}
      {deploy !== undefined && <DeployDialog toolId={deploy} toolboxId={toolbox} onClose={close} />}
    </>
  )
}

interface CategoriesProps {
  readonly tools: readonly Tool[]
  readonly chosen: string | undefined
  readonly onChoose: (category: string | undefined) => void
}

function Categories({ tools, chosen, onChoose }: CategoriesProps) {
  const all = [...new Set(tools.flatMap(({ categories }) => categories))].sort()
  if (all.length < 2 && chosen === undefined) return null
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="sr-only">Category</legend>
      {[undefined, ...all].map((category) => (
        <button
          key={category ?? ''}
          type="button"
          aria-pressed={chosen === category}
          onClick={() => onChoose(category)}
          className={cn(
            'h-7 rounded-full border border-transparent px-2.5 text-ink-soft text-xs hover:text-ink',
            chosen === category && 'border-line-strong bg-surface font-medium text-ink shadow-card',
          )}
        >
          {category ?? 'All'}
        </button>
      ))}
    </fieldset>
  )
}

const CardsSkeleton = () => (
  <div role="status" aria-busy aria-label="Loading" className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
    {[1, 2, 3, 4, 5, 6].map((card) => (
      <div key={card} className="h-47 rounded-lg border border-line bg-surface p-4">
        <Skeleton className="size-9" />
        <Skeleton className="mt-4 w-1/2" />
        <Skeleton className="mt-2 w-full" />
      </div>
    ))}
  </div>
)
