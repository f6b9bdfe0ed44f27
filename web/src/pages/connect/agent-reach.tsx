import { type Agent, listToolbelt } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { CapabilityBadges } from '../../parts/capability-badges.tsx'
import { Reading } from '../../parts/reading.tsx'

/** Everything that an agent may call now: what is given away with it. */
export function AgentReach({ agent }: { agent: Agent }) {
  const toolbelt = useOperation(listToolbelt, { params: { agentId: agent.id } })
  return (
    <section aria-label="What it may call" className="rounded-lg border border-line bg-sunken px-4 py-3">
      {!agent.enabled && (
        <p className="mb-2 text-warn">This agent is switched off: every call is refused until it is on.</p>
      )}
      <Reading of={toolbelt}>
        {({ items }) => {
          const allowed = items
            .filter(({ enabled }) => enabled)
            .flatMap(({ permissions }) => permissions.filter((permission) => permission.allowed && permission.offered))
          return allowed.length === 0 ? (
            <p className="text-ink-soft">It may call nothing yet. Capabilities are granted on its page.</p>
          ) : (
            <>
              <h2 className="font-medium text-ink-faint text-xs">
                It may call {allowed.length === 1 ? 'one capability' : `${allowed.length} capabilities`}
              </h2>
              <ul className="mt-1.5 flex max-h-48 flex-col gap-1 overflow-y-auto">
                {allowed.map(({ gatewayName, readOnly, destructive }) => (
                  <li key={gatewayName} className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
                    <code className="wrap-anywhere text-ink text-xs">{gatewayName}</code>
                    <CapabilityBadges readOnly={readOnly} destructive={destructive} />
                  </li>
                ))}
              </ul>
            </>
          )
        }}
      </Reading>
    </section>
  )
}
