import { listInstances } from '@agentopia/api'
import { ScrollText } from 'lucide-react'
import { useState } from 'react'
import { useOperation } from '../../api/use-operation.ts'
import { EmptyState } from '../../parts/empty-state.tsx'
import { LogView } from '../../parts/log-view.tsx'
import { Reading } from '../../parts/reading.tsx'
import { Select } from '../../parts/select.tsx'
import { stateWords } from '../../words/instance-state.ts'

/** The log of one of the toolbox's tools. */
export function ToolboxLogs({ toolboxId }: { toolboxId: string }) {
  const instances = useOperation(listInstances, { params: { toolboxId }, query: {} })
  const [chosen, setChosen] = useState<string>()
  return (
    <Reading of={instances}>
      {({ items }) => {
        const instance = items.find(({ id }) => id === chosen) ?? items[0]
        if (!instance)
          return (
            <EmptyState icon={<ScrollText />} title="Nothing to read">
              Logs are written by tools, and this toolbox has none yet.
            </EmptyState>
          )
        return (
          <LogView key={instance.id} toolboxId={toolboxId} instanceId={instance.id} name={instance.name}>
            <Select
              aria-label="Tool instance"
              className="w-52"
              value={instance.id}
              onChange={setChosen}
              options={items.map((item) => ({ value: item.id, label: item.name, note: stateWords(item) }))}
            />
          </LogView>
        )
      }}
    </Reading>
  )
}
