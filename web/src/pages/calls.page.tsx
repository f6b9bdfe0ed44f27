import { Call, listAgents, listCalls } from '@agentopia/api'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { ScrollText } from 'lucide-react'
import { useOperation, useOperationPages } from '../api/use-operation.ts'
import { CallTable } from '../parts/call-table.tsx'
import { Card } from '../parts/card.tsx'
import { EmptyState } from '../parts/empty-state.tsx'
import { MoreButton } from '../parts/more-button.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { Select } from '../parts/select.tsx'
import { OUTCOMES } from '../words/call-outcome.ts'

const ANY = 'any'

/** Every call of every agent, as recorded. */
export function CallsPage() {
  const search = useSearch({ from: '/app/calls' })
  const navigate = useNavigate()
  const agents = useOperation(listAgents, { query: {} })
  const outcome = Call.shape.outcome.options.find((one) => one === search.outcome)
  const query = { limit: 50, ...(search.agent ? { agentId: search.agent } : {}), ...(outcome ? { outcome } : {}) }
  const calls = useOperationPages(listCalls, { query })
  const choose = (changed: { agent?: string; outcome?: string }) => {
    const next = { ...search, ...changed }
    const kept = Object.entries(next).filter(([, value]) => value !== ANY)
    void navigate({ to: '/calls', search: Object.fromEntries(kept), replace: true })
  }
  const filtered = search.agent !== undefined || outcome !== undefined

  return (
    <>
      <PageHeader
        title="Calls"
        note="Who called what, how long it took, how it ended. Arguments and answers are not kept."
      >
        <Select
          aria-label="Agent"
          className="w-44"
          value={search.agent ?? ANY}
          onChange={(agent) => choose({ agent })}
          options={[
            { value: ANY, label: 'All agents' },
            ...(agents.data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? []),
          ]}
        />
        <Select
          aria-label="Outcome"
          className="w-40"
          value={outcome ?? ANY}
          onChange={(next) => choose({ outcome: next })}
          options={[
            { value: ANY, label: 'All outcomes' },
            ...Call.shape.outcome.options.map((value) => ({ value, label: OUTCOMES[value].words })),
          ]}
        />
      </PageHeader>
      <Reading of={calls}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          return items.length === 0 ? (
            <EmptyState icon={<ScrollText />} title={filtered ? 'No such call' : 'No call yet'}>
              {filtered
                ? 'Nothing on record fits both filters.'
                : 'As soon as an agent calls a capability, or is refused one, it stands here.'}
            </EmptyState>
          ) : (
            <Card className="overflow-hidden">
              <CallTable calls={items} />
              <MoreButton of={calls} />
            </Card>
          )
        }}
      </Reading>
    </>
  )
}
