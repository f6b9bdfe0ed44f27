import { Call, listAgents } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { SearchField } from '../../parts/search-field.tsx'
import { Select } from '../../parts/select.tsx'
import { OUTCOMES } from '../../words/call-outcome.ts'
import { PERIODS } from '../../words/call-period.ts'

/** Which calls are shown; what is absent does not matter. Kept in the page's address. */
export interface CallSearch {
  readonly agent?: string
  readonly outcome?: string
  readonly period?: string
  readonly text?: string
}

const ANY = 'any'

export function CallFilters({ search, onChange }: { search: CallSearch; onChange: (search: CallSearch) => void }) {
  const agents = useOperation(listAgents, { query: {} })
  const choose = (changed: CallSearch) => {
    const kept = Object.entries({ ...search, ...changed }).filter(([, value]) => value !== ANY && value !== '')
    onChange(Object.fromEntries(kept))
  }
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <SearchField
        label="Search calls"
        className="min-w-56 flex-1"
        value={search.text ?? ''}
        onChange={(text) => choose({ text: text.slice(0, 100) })}
      />
      <Select
        aria-label="Agent"
        className="w-40"
        value={search.agent ?? ANY}
        onChange={(agent) => choose({ agent })}
        options={[
          { value: ANY, label: 'All agents' },
          ...(agents.data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? []),
        ]}
      />
      <Select
        aria-label="Outcome"
        className="w-36"
        value={search.outcome ?? ANY}
        onChange={(outcome) => choose({ outcome })}
        options={[
          { value: ANY, label: 'All outcomes' },
          ...Call.shape.outcome.options.map((value) => ({ value, label: OUTCOMES[value].words })),
        ]}
      />
      <Select
        aria-label="When"
        className="w-36"
        value={search.period ?? ANY}
        onChange={(period) => choose({ period })}
        options={[
          { value: ANY, label: 'At any time' },
          ...Object.entries(PERIODS).map(([value, { words }]) => ({ value, label: words })),
        ]}
      />
    </div>
  )
}
