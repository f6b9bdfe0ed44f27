import { type Agent, listToolbelt, type ToolbeltItem } from '@agentopia/api'
import { FlaskConical } from 'lucide-react'
import { useState } from 'react'
import { useOperation } from '../../api/use-operation.ts'
import { EmptyState } from '../../parts/empty-state.tsx'
import { Field } from '../../parts/field.tsx'
import { Reading } from '../../parts/reading.tsx'
import { Select } from '../../parts/select.tsx'
import { TryCapability } from './try-capability.tsx'

/** Calls a capability as the agent would: same permissions, same record. */
export function TryIt({ agent }: { agent: Agent }) {
  const toolbelt = useOperation(listToolbelt, { params: { agentId: agent.id } })
  return (
    <Reading of={toolbelt}>
      {({ items }) => {
        const usable = items.filter(({ permissions }) => permissions.length > 0)
        return usable.length === 0 ? (
          <EmptyState icon={<FlaskConical />} title="Nothing to try">
            Put a tool into the toolbelt and allow some of its capabilities; then they can be called from here.
          </EmptyState>
        ) : (
          <Console agent={agent} items={usable} />
        )
      }}
    </Reading>
  )
}

function Console({ agent, items }: { agent: Agent; items: readonly ToolbeltItem[] }) {
  const [chosen, setChosen] = useState(() => firstAllowed(items))
  const options = items.flatMap(({ permissions }) =>
    permissions.map(({ gatewayName, allowed }) => ({
      value: gatewayName,
      label: gatewayName,
      note: allowed ? undefined : 'denied',
    })),
  )
  const item = items.find(({ permissions }) => permissions.some(({ gatewayName }) => gatewayName === chosen))
  const permission = item?.permissions.find(({ gatewayName }) => gatewayName === chosen)
  return (
    <div className="flex flex-col gap-5">
      <Field label="Capability" hint={permission?.description} className="max-w-2xl">
        {(control) => (
          <Select {...control} className="font-mono text-xs" value={chosen} onChange={setChosen} options={options} />
        )}
      </Field>
      {item && permission && <TryCapability key={chosen} agent={agent} item={item} permission={permission} />}
    </div>
  )
}

const firstAllowed = (items: readonly ToolbeltItem[]): string | undefined => {
  const all = items.flatMap(({ permissions }) => permissions)
  return (all.find(({ allowed }) => allowed) ?? all[0])?.gatewayName
}
