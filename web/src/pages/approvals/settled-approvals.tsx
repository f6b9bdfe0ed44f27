import { listApprovals } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { useOperationPages } from '../../api/use-operation.ts'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { MoreButton } from '../../parts/more-button.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { Cell, Row, Table } from '../../parts/table.tsx'
import { APPROVAL_STATES, howSettled } from '../../words/approval-state.ts'

const COLUMNS = [
  ['state', 'Answer'],
  ['capability', 'Capability'],
  ['agent', 'Agent'],
  ['who', 'Who, and why'],
  ['at', 'Asked', 'text-right'],
] as const

/** What became of calls that waited, newest first. Their arguments are forgotten. */
export function SettledApprovals() {
  const settled = useOperationPages(listApprovals, { query: { state: 'settled', limit: 20 } })
  return (
    <Reading of={settled}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items)
        if (items.length === 0) return null
        return (
          <Card className="overflow-hidden">
            <CardHeader title="Decided before" note="Arguments are forgotten once a call is decided" />
            <Table label="Decided before" columns={COLUMNS}>
              {items.map((approval) => {
                const { tone, words } = APPROVAL_STATES[approval.state]
                return (
                  <Row key={approval.id}>
                    <Cell>
                      <span className="flex items-center gap-2 whitespace-nowrap">
                        <Glyph tone={tone} />
                        {words}
                      </span>
                    </Cell>
                    <Cell>
                      <code className="whitespace-nowrap text-xs">
                        <span className="text-ink-faint">{approval.instanceName}__</span>
                        {approval.capability}
                      </code>
                    </Cell>
                    <Cell>
                      <Link
                        to="/agents/$agentId/{-$tab}"
                        params={{ agentId: approval.agentId, tab: undefined }}
                        className="whitespace-nowrap underline-offset-2 hover:underline"
                      >
                        {approval.agentName}
                      </Link>
                    </Cell>
                    <Cell className="min-w-48 text-ink-soft text-xs">{howSettled(approval)}</Cell>
                    <Cell className="whitespace-nowrap text-right text-ink-soft text-xs tabular-nums">
                      <RelativeTime at={approval.askedAt} />
                    </Cell>
                  </Row>
                )
              })}
            </Table>
            <MoreButton of={settled} />
          </Card>
        )
      }}
    </Reading>
  )
}
