import { listActivity } from '@agentopia/api'
import { History } from 'lucide-react'
import { useOperationPages } from '../../api/use-operation.ts'
import { ActivityList } from '../../parts/activity-list.tsx'
import { Card } from '../../parts/card.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { MoreButton } from '../../parts/more-button.tsx'
import { Reading } from '../../parts/reading.tsx'

/** What happened on this toolbox. */
export function ToolboxActivity({ toolboxId }: { toolboxId: string }) {
  const activity = useOperationPages(listActivity, { query: { toolboxId, limit: 50 } })
  return (
    <Reading of={activity}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items)
        return items.length === 0 ? (
          <EmptyState icon={<History />} title="Nothing on record">
            Whatever is done on this toolbox, and by whom, will stand here.
          </EmptyState>
        ) : (
          <Card>
            <ActivityList items={items} of={toolboxId} />
            <MoreButton of={activity} />
          </Card>
        )
      }}
    </Reading>
  )
}
