import { Call, type CallFilter, listCalls } from '@agentopia/api'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { ScrollText } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useOperationPages } from '../api/use-operation.ts'
import { CallTable } from '../parts/call-table.tsx'
import { Card } from '../parts/card.tsx'
import { EmptyState } from '../parts/empty-state.tsx'
import { MoreButton } from '../parts/more-button.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { Switch } from '../parts/switch.tsx'
import { beginOf } from '../words/call-period.ts'
import { CallFilters, type CallSearch } from './calls/call-filters.tsx'
import { ExportCalls } from './calls/export-calls.tsx'
import { VerifyCalls } from './calls/verify-calls.tsx'

/** Every call of every agent, as recorded, as they come. */
export function CallsPage() {
  const search = useSearch({ from: '/app/calls' })
  const navigate = useNavigate()
  const filter = useFilter(search)
  /** Since then nothing new is shown. */
  const [heldAt, setHeldAt] = useState<string>()
  const calls = useOperationPages(listCalls, { query: { limit: 50, ...filter, ...(heldAt ? { to: heldAt } : {}) } })

  return (
    <>
      <PageHeader
        title="Calls"
        note="Who called what, how long it took, how it ended. Arguments and answers are kept only where an administrator wants it."
      >
        <label htmlFor="live" className="flex items-center gap-2 text-sm">
          {heldAt ? 'Held' : 'Live'}
          <Switch
            id="live"
            aria-label="Show new calls as they come"
            checked={heldAt === undefined}
            onCheckedChange={(live) => setHeldAt(live ? undefined : new Date().toISOString())}
          />
        </label>
        <VerifyCalls />
        <ExportCalls filter={filter} />
      </PageHeader>
      <CallFilters search={search} onChange={(next) => void navigate({ to: '/calls', search: next, replace: true })} />
      <Reading of={calls}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          const filtered = Object.keys(search).length > 0
          return items.length === 0 ? (
            <EmptyState icon={<ScrollText />} title={filtered ? 'No such call' : 'No call yet'}>
              {filtered
                ? 'Nothing on record fits all of this.'
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

/** What the address says, in the words of the API. A period begins where it was chosen, and stays there. */
function useFilter({ agent, outcome, period, text }: CallSearch): CallFilter {
  return useMemo(() => {
    const known = Call.shape.outcome.options.find((one) => one === outcome)
    const from = beginOf(period, Date.now())
    return {
      ...(agent ? { agentId: agent } : {}),
      ...(known ? { outcome: known } : {}),
      ...(from ? { from } : {}),
      ...(text ? { text } : {}),
    }
  }, [agent, outcome, period, text])
}
