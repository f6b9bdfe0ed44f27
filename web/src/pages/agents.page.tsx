import { listAgents } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Bot, Plus } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../api/me.ts'
import { useOperation } from '../api/use-operation.ts'
import { Button } from '../parts/button.tsx'
import { Card } from '../parts/card.tsx'
import { EmptyState } from '../parts/empty-state.tsx'
import { Chip } from '../parts/glyph.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { RelativeTime } from '../parts/relative-time.tsx'
import { SearchField } from '../parts/search-field.tsx'
import { Cell, Row, Table } from '../parts/table.tsx'
import { count } from '../words/quantity.ts'
import { CreateAgent } from './agent/create-agent.tsx'

const COLUMNS = [
  ['name', 'Agent'],
  ['enabled', 'Kill switch'],
  ['toolbelt', 'Toolbelt', 'text-right'],
  ['toolboxes', 'Toolboxes', 'text-right'],
  ['last', 'Last call', 'text-right'],
] as const

/** The AIs that call tools. */
export function AgentsPage() {
  const agents = useOperation(listAgents, { query: {} })
  const may = useMay('operator')
  const [creating, setCreating] = useState(false)
  const [search, setSearch] = useState('')
  const create = (
    <Button kind="primary" disabled={!may} onClick={() => setCreating(true)}>
      <Plus />
      Register an agent
    </Button>
  )
  return (
    <>
      <PageHeader
        title="Agents"
        note="Each sees only the capabilities it was granted. Whatever is not allowed is denied."
      >
        {create}
      </PageHeader>
      <Reading of={agents}>
        {({ items }) => {
          const wanted = search.toLowerCase()
          const shown = items.filter(({ name, description }) => `${name} ${description}`.toLowerCase().includes(wanted))
          return items.length === 0 ? (
            <EmptyState icon={<Bot />} title="No agent yet" action={create}>
              An agent is an AI that calls tools: Claude, Cursor, your own code. It gets a token of its own and an
              address where it finds exactly the capabilities you allowed.
            </EmptyState>
          ) : (
            <>
              {items.length > 5 && (
                <SearchField value={search} onChange={setSearch} label="Search the agents" className="mb-4 sm:w-80" />
              )}
              <Card className="overflow-hidden">
                <Table label="Agents" columns={COLUMNS}>
                  {shown.map(({ id, name, description, enabled, toolbeltSize, toolboxIds, lastCallAt }) => (
                    <Row key={id}>
                      <Cell className="py-2.5">
                        <Link
                          to="/agents/$agentId/{-$tab}"
                          params={{ agentId: id, tab: undefined }}
                          className="font-semibold after:absolute after:inset-0"
                        >
                          {name}
                        </Link>
                        {description && (
                          <span className="line-clamp-1 max-w-md text-ink-faint text-xs">{description}</span>
                        )}
                      </Cell>
                      <Cell>
                        <Chip tone={enabled ? 'ok' : 'bad'}>{enabled ? 'on' : 'off'}</Chip>
                      </Cell>
                      <Cell className="whitespace-nowrap text-right tabular-nums">{count(toolbeltSize, 'tool')}</Cell>
                      <Cell className="text-right tabular-nums">{toolboxIds.length}</Cell>
                      <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                        {lastCallAt ? <RelativeTime at={lastCallAt} /> : 'never'}
                      </Cell>
                    </Row>
                  ))}
                </Table>
              </Card>
            </>
          )
        }}
      </Reading>
      {creating && <CreateAgent onClose={() => setCreating(false)} />}
    </>
  )
}
