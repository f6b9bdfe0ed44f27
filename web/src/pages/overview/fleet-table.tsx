import type { Toolbox } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Card } from '../../parts/card.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { LifeLine } from '../../parts/life-line.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { Cell, Row, Table } from '../../parts/table.tsx'
import { percent } from '../../words/quantity.ts'
import { toolFraction } from '../../words/tool-counts.ts'
import { PROVIDER_WORDS, statusWords, toneOfToolbox } from '../../words/toolbox-status.ts'

const COLUMNS = [
  ['name', 'Toolbox'],
  ['status', 'Status'],
  ['life', 'Last heartbeat'],
  ['tools', 'Tools', 'text-right'],
  ['cpu', 'CPU', 'text-right'],
  ['memory', 'Memory', 'text-right'],
  ['dtma', 'DTMA'],
] as const

/** Many toolboxes at a glance. */
export const FleetTable = ({ toolboxes }: { toolboxes: readonly Toolbox[] }) => (
  <Card className="overflow-hidden">
    <Table label="Toolboxes" columns={COLUMNS}>
      {toolboxes.map((toolbox) => {
        const { id, name, provider, system, lastHeartbeatAt, dtmaVersion } = toolbox
        return (
          <Row key={id}>
            <Cell>
              <Link
                to="/toolboxes/$toolboxId/{-$tab}"
                params={{ toolboxId: id, tab: undefined }}
                className="whitespace-nowrap font-medium after:absolute after:inset-0"
              >
                {name}
              </Link>
              <span className="block text-ink-faint text-xs">{PROVIDER_WORDS[provider]}</span>
            </Cell>
            <Cell>
              <span className="flex items-center gap-2 whitespace-nowrap">
                <Glyph tone={toneOfToolbox(toolbox)} />
                {statusWords(toolbox)}
              </span>
            </Cell>
            <Cell>
              <span className="flex items-center gap-3 whitespace-nowrap">
                <LifeLine at={lastHeartbeatAt} className="w-22" />
                <span className="text-ink-soft text-xs tabular-nums">
                  {lastHeartbeatAt ? <RelativeTime at={lastHeartbeatAt} /> : 'never'}
                </span>
              </span>
            </Cell>
            <Cell className="text-right tabular-nums">{toolFraction(toolbox)}</Cell>
            <Cell className="text-right tabular-nums">{system ? percent(system.cpuUsage) : '–'}</Cell>
            <Cell className="text-right tabular-nums">
              {system ? percent(system.memoryUsedBytes / system.memoryBytes) : '–'}
            </Cell>
            <Cell className="text-ink-soft text-xs">{dtmaVersion ?? '–'}</Cell>
          </Row>
        )
      })}
    </Table>
  </Card>
)
