import type { Call } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { KeyRound } from 'lucide-react'
import { OUTCOMES } from '../words/call-outcome.ts'
import { bytes, duration } from '../words/quantity.ts'
import { CopyableId } from './copyable.tsx'
import { Glyph } from './glyph.tsx'
import { RelativeTime } from './relative-time.tsx'
import { Cell, Row, Table } from './table.tsx'

const COLUMNS = [
  ['outcome', 'Outcome'],
  ['capability', 'Capability'],
  ['agent', 'Agent'],
  ['duration', 'Took', 'text-right'],
  ['size', 'Asked / answered', 'text-right'],
  ['at', 'When', 'text-right'],
  ['id', 'Call'],
] as const

/** Calls, newest first. Arguments and results are not on record, only their sizes and a digest; where they are kept, the page of a call has them. */
export function CallTable({ calls, withAgent = true }: { calls: readonly Call[]; withAgent?: boolean }) {
  return (
    <Table label="Calls" columns={COLUMNS.filter(([key]) => withAgent || key !== 'agent')}>
      {calls.map((call) => {
        const { tone, words, meaning } = OUTCOMES[call.outcome]
        return (
          <Row key={call.id}>
            <Cell title={meaning}>
              <span className="flex items-center gap-2 whitespace-nowrap">
                <Glyph tone={tone} />
                {words}
              </span>
              {call.code && <code className="block whitespace-nowrap text-2xs text-ink-faint">{call.code}</code>}
              {call.decidedBy && (
                <span className="block whitespace-nowrap text-2xs text-ink-faint">decided by {call.decidedBy}</span>
              )}
            </Cell>
            <Cell>
              <code className="whitespace-nowrap text-xs">
                {call.instanceName && <span className="text-ink-faint">{call.instanceName}__</span>}
                {call.capability}
              </code>
            </Cell>
            {withAgent && (
              <Cell>
                <Link
                  to="/agents/$agentId/{-$tab}"
                  params={{ agentId: call.agentId, tab: undefined }}
                  className="whitespace-nowrap underline-offset-2 hover:underline"
                >
                  {call.agentName}
                </Link>
              </Cell>
            )}
            <Cell className="whitespace-nowrap text-right tabular-nums">{duration(call.durationMs)}</Cell>
            <Cell className="whitespace-nowrap text-right text-ink-soft text-xs tabular-nums">
              {bytes(call.argumentBytes)} / {call.resultBytes === undefined ? '–' : bytes(call.resultBytes)}
            </Cell>
            <Cell className="whitespace-nowrap text-right text-ink-soft text-xs tabular-nums">
              <RelativeTime at={call.startedAt} />
            </Cell>
            <Cell>
              <span className="flex items-center gap-2">
                {call.secretsSeen && (
                  <KeyRound
                    className="size-3.5 shrink-0 text-warn"
                    aria-label={`Found in it: ${call.secretsSeen.join(', ')}`}
                  />
                )}
                <Link
                  to="/calls/$callId"
                  params={{ callId: call.id }}
                  aria-label={`Show call ${call.id}`}
                  className="text-xs underline-offset-2 hover:underline"
                >
                  Show
                </Link>
                <CopyableId id={call.id} className="max-w-28 text-ink-faint" />
              </span>
            </Cell>
          </Row>
        )
      })}
    </Table>
  )
}
