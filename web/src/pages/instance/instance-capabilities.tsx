import { listCapabilities, type ToolInstance } from '@agentopia/api'
import { Braces } from 'lucide-react'
import { useState } from 'react'
import { useOperation } from '../../api/use-operation.ts'
import { CapabilityItem } from '../../parts/capability-item.tsx'
import { Card } from '../../parts/card.tsx'
import { CopyableId } from '../../parts/copyable.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Reading } from '../../parts/reading.tsx'
import { Elapsed, RelativeTime } from '../../parts/relative-time.tsx'
import { SearchField } from '../../parts/search-field.tsx'

/** What the MCP server offers, as it was discovered. */
export function InstanceCapabilities({ instance }: { instance: ToolInstance }) {
  const { toolboxId, id: instanceId, name } = instance
  const capabilities = useOperation(listCapabilities, { params: { toolboxId, instanceId } })
  const [search, setSearch] = useState('')
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,5fr)_minmax(0,2fr)]">
      <Reading of={capabilities}>
        {(data) => {
          const wanted = search.toLowerCase()
          const found = data.capabilities.filter((one) =>
            `${one.name} ${one.description ?? ''}`.toLowerCase().includes(wanted),
          )
          return data.capabilities.length === 0 ? (
            <EmptyState icon={<Braces />} title="No capabilities yet">
              They are asked for as soon as the tool runs and answers as an MCP server. Nobody types them in.
            </EmptyState>
          ) : (
            <div className="flex min-w-0 flex-col gap-3">
              {data.perAgent && (
                <p className="text-ink-soft text-sm">
                  Each agent has a container of its own. This is what any of them is offered; what one agent is offered
                  stands in its toolbelt.
                </p>
              )}
              <SearchField value={search} onChange={setSearch} label="Search the capabilities" />
              <Card className="divide-y divide-line overflow-hidden">
                {found.map((capability) => (
                  <CapabilityItem
                    key={capability.name}
                    capability={capability}
                    gatewayName={`${name}__${capability.name}`}
                  />
                ))}
                {found.length === 0 && <p className="p-6 text-center text-ink-faint">No capability matches.</p>}
              </Card>
            </div>
          )
        }}
      </Reading>
      <About instance={instance} digest={capabilities.data?.digest} />
    </div>
  )
}

function About({ instance, digest }: { instance: ToolInstance; digest: string | undefined }) {
  const { id, server, restarts, createdAt, since, generation, observedGeneration } = instance
  return (
    <Card>
      <Facts
        className="p-4"
        facts={[
          ['Id', <CopyableId key="id" id={id} />],
          server && ['Server', `${server.name} ${server.version}`],
          server && ['Protocol', `MCP ${server.protocolVersion}`],
          digest !== undefined && ['Digest', <CopyableId key="digest" id={digest.slice(0, 16)} />],
          since !== undefined && ['In this state', <Elapsed key="since" since={since} />],
          ['Restarts', String(restarts)],
          [
            'Generation',
            observedGeneration === generation
              ? String(generation)
              : `${generation}, seen ${observedGeneration ?? 'none'}`,
          ],
          ['Deployed', <RelativeTime key="at" at={createdAt} />],
        ]}
      />
    </Card>
  )
}
