import { listCalls } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { OUTCOMES } from '../../words/call-outcome.ts'
import { duration } from '../../words/quantity.ts'

/** The last calls of all agents. */
export function RecentCalls() {
  const calls = useOperation(listCalls, { query: { limit: 10 } })
  return (
    <Card>
      <CardHeader title="Recent calls">
        <Button asChild kind="quiet" size="small">
          <Link to="/calls">All calls</Link>
        </Button>
      </CardHeader>
      <Reading of={calls} skeleton={<SkeletonRows className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="px-4 py-8 text-center text-ink-faint">No agent has called a tool yet.</p>
          ) : (
            <ul className="px-4 py-1">
              {items.map(({ id, outcome, agentName, instanceName, capability, durationMs, startedAt }) => (
                <li key={id} className="flex items-center gap-2.5 border-line border-b py-2 last:border-b-0">
                  <Glyph tone={OUTCOMES[outcome].tone} />
                  <div className="min-w-0 flex-1">
                    <p className="truncate">
                      <code className="text-xs">
                        {instanceName && <span className="text-ink-faint">{instanceName}__</span>}
                        {capability}
                      </code>
                    </p>
                    <p className="truncate text-ink-faint text-xs">
                      {agentName}, {OUTCOMES[outcome].words}
                    </p>
                  </div>
                  <p className="shrink-0 text-right text-xs tabular-nums">
                    <span className="block text-ink-soft">{duration(durationMs)}</span>
                    <RelativeTime at={startedAt} className="text-ink-faint" />
                  </p>
                </li>
              ))}
            </ul>
          )
        }
      </Reading>
    </Card>
  )
}
