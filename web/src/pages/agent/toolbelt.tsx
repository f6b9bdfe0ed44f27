import { type Agent, listToolbelt } from '@agentopia/api'
import { Plus, Waypoints } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { Reading } from '../../parts/reading.tsx'
import { AddToToolbelt } from './add-to-toolbelt.tsx'
import { ToolbeltItemCard } from './toolbelt-item-card.tsx'

/** What an agent may use, and which of its capabilities. */
export function Toolbelt({ agent }: { agent: Agent }) {
  const toolbelt = useOperation(listToolbelt, { params: { agentId: agent.id } })
  const may = useMay('operator')
  const [adding, setAdding] = useState(false)
  const add = (
    <Button disabled={!may} onClick={() => setAdding(true)}>
      <Plus />
      Add a tool
    </Button>
  )
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Reading of={toolbelt}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={<Waypoints />} title="The toolbelt is empty" action={agent.toolboxIds.length > 0 && add}>
              {agent.toolboxIds.length === 0
                ? 'Give the agent access to a toolbox first (Toolbox access, on this page); then its tools can be put into the toolbelt.'
                : 'Put a tool into it and choose which of its capabilities the agent may call.'}
            </EmptyState>
          ) : (
            <>
              {items.map((item) => (
                <ToolbeltItemCard key={item.id} item={item} agentName={agent.name} />
              ))}
              <div>{add}</div>
            </>
          )
        }
      </Reading>
      {adding && <AddToToolbelt agent={agent} taken={toolbelt.data?.items ?? []} onClose={() => setAdding(false)} />}
    </div>
  )
}
