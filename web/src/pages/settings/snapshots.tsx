import { getProvider, listSnapshots, removeSnapshot, type Snapshot } from '@agentopia/api'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'

/** Copies of disks: they cost until they are deleted, also when their toolbox is long gone. */
export function Snapshots() {
  const provider = useOperation(getProvider, {})
  return provider.data?.configured ? <SnapshotList /> : null
}

function SnapshotList() {
  const snapshots = useOperation(listSnapshots, {})
  const may = useMay('operator')
  const [going, setGoing] = useState<Snapshot>()
  const total = (snapshots.data?.items ?? []).reduce((sum, { monthlyUsd }) => sum + monthlyUsd, 0)
  return (
    <Card>
      <CardHeader title="Snapshots" note={total > 0 ? `$${total.toFixed(2)} a month` : 'of droplets'} />
      <Reading of={snapshots} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="p-4 text-ink-faint">None. They are taken on the page of a toolbox, under Droplet.</p>
          ) : (
            <ul className="divide-y divide-line">
              {items.map((snapshot) => (
                <li key={snapshot.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-3">
                  <span className="font-medium text-ink">{snapshot.name}</span>
                  <span className="text-ink-soft">
                    of {snapshot.toolboxName}, {snapshot.sizeGb} GB, ${snapshot.monthlyUsd.toFixed(2)} a month,{' '}
                    <RelativeTime at={snapshot.createdAt} />
                  </span>
                  {may && (
                    <Button
                      size="small"
                      kind="destroy"
                      className="ml-auto"
                      aria-label={`Delete the snapshot ${snapshot.name}`}
                      onClick={() => setGoing(snapshot)}
                    >
                      <Trash2 />
                      Delete
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Reading>
      {going && <DeleteSnapshot snapshot={going} onClose={() => setGoing(undefined)} />}
    </Card>
  )
}

function DeleteSnapshot({ snapshot, onClose }: { snapshot: Snapshot; onClose: () => void }) {
  const remove = useAction(removeSnapshot)
  return (
    <ConfirmByName
      open
      onClose={onClose}
      title={`Delete ${snapshot.name}`}
      name={snapshot.name}
      verb="Delete"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { snapshotId: snapshot.id } }, { onSuccess: onClose })}
    >
      The copy of the disk of {snapshot.toolboxName} is gone then. Droplets that were made from it stay.
    </ConfirmByName>
  )
}
