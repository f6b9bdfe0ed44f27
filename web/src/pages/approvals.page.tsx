import { listApprovals } from '@agentopia/api'
import { Hand } from 'lucide-react'
import { useOperation } from '../api/use-operation.ts'
import { ApprovalCard } from '../parts/approval-card.tsx'
import { EmptyState } from '../parts/empty-state.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { SettledApprovals } from './approvals/settled-approvals.tsx'
import { WhoIsAsked } from './approvals/who-is-asked.tsx'

/** Calls that wait for a person, as they come, and what became of earlier ones. */
export function ApprovalsPage() {
  const waiting = useOperation(listApprovals, { query: {} })
  return (
    <>
      <PageHeader
        title="Approvals"
        note="Calls of capabilities that a person is asked for. Each waits here until somebody says yes or no, or its time is up."
      />
      <div className="flex flex-col gap-6">
        <Reading of={waiting}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState icon={<Hand />} title="Nothing waits for you">
                In the toolbelt of an agent, choose “Ask first” for a capability: then each call of it stands here
                before it is made.
              </EmptyState>
            ) : (
              <div className="flex flex-col gap-3">
                <WhoIsAsked />
                {/* The longest waiting first: it has the least time left. */}
                {items.toReversed().map((approval) => (
                  <ApprovalCard key={approval.id} approval={approval} />
                ))}
              </div>
            )
          }
        </Reading>
        <SettledApprovals />
      </div>
    </>
  )
}
