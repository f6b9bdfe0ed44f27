import { listCalls } from '@agentopia/api'
import { ScrollText } from 'lucide-react'
import { useOperationPages } from '../../api/use-operation.ts'
import { CallTable } from '../../parts/call-table.tsx'
import { Card } from '../../parts/card.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { MoreButton } from '../../parts/more-button.tsx'
import { Reading } from '../../parts/reading.tsx'

/** What one agent called, newest first. */
export function AgentCalls({ agentId }: { agentId: string }) {
  const calls = useOperationPages(listCalls, { query: { agentId, limit: 50 } })
  return (
    <Reading of={calls}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items)
        return items.length === 0 ? (
          <EmptyState icon={<ScrollText />} title="No call yet">
            What the agent calls, and what it is refused, stands here with its duration and outcome.
          </EmptyState>
        ) : (
          <Card className="overflow-hidden">
            <CallTable calls={items} withAgent={false} />
            <MoreButton of={calls} />
          </Card>
        )
      }}
    </Reading>
  )
}
