import { listActivity } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { ActivityList } from '../../parts/activity-list.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'

/** The last things that happened, anywhere. */
export function RecentActivity() {
  const activity = useOperation(listActivity, { query: { limit: 10 } })
  return (
    <Card>
      <CardHeader title="Recent activity" />
      <Reading of={activity} skeleton={<SkeletonRows className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="px-4 py-8 text-center text-ink-faint">Nothing has happened yet.</p>
          ) : (
            <ActivityList items={items} />
          )
        }
      </Reading>
    </Card>
  )
}
