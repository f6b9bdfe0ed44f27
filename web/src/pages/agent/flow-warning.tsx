import { getAgentDataFlow } from '@agentopia/api'
import { TriangleAlert } from 'lucide-react'
import { useOperation } from '../../api/use-operation.ts'

const KINDS = [
  ['private', 'Reads private data'],
  ['untrusted', 'Sees what strangers wrote'],
  ['outward', 'Can send outwards'],
] as const

/** An agent that can be made to give private data away, and by what. Nothing, when there is nothing to say. */
export function FlowWarning({ agentId }: { agentId: string }) {
  const { data: flow } = useOperation(getAgentDataFlow, { params: { agentId } })
  if (!flow || flow.warnings.length === 0) return null
  return (
    <section
      role="status"
      aria-label="Flow of data"
      className="mb-5 flex gap-3 rounded-lg border border-warn/25 bg-warn-soft px-4 py-3"
    >
      <TriangleAlert className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden />
      <div className="min-w-0">
        <p className="font-semibold text-ink">What this agent reads can make it give private data away</p>
        <dl className="mt-1 grid gap-x-4 text-sm sm:grid-cols-[max-content_1fr]">
          {KINDS.map(([kind, words]) => (
            <div key={kind} className="contents">
              <dt className="text-ink-soft">{words}</dt>
              <dd className="wrap-anywhere min-w-0 text-ink">
                <code className="text-xs">{flow[kind].join(', ')}</code>
              </dd>
            </div>
          ))}
        </dl>
        <p className="mt-1 text-pretty text-ink-soft text-sm">
          Deny one of the three, or give them to different agents.
        </p>
      </div>
    </section>
  )
}
