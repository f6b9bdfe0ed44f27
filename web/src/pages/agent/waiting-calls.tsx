import { listApprovals } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { ApprovalCard } from '../../parts/approval-card.tsx'

/** What waits of this agent's calls of a capability, to be decided where it was tried. */
export function WaitingCalls({ agentId, capability }: { agentId: string; capability: string }) {
  const { data } = useOperation(listApprovals, { query: { agentId } })
  const waiting = (data?.items ?? []).filter((approval) => approval.capability === capability)
  return (
    <div className="flex flex-col gap-3">
      <p className="text-ink-soft text-sm">A person is asked first. The call is made as soon as somebody says yes.</p>
      {waiting.map((approval) => (
        <ApprovalCard key={approval.id} approval={approval} />
      ))}
    </div>
  )
}
