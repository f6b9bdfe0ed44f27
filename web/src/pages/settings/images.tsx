import { type ImageArchive, listImageArchives, removeImageArchive } from '@agentopia/api'
import { Trash2 } from 'lucide-react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { ArchivePicker } from '../../images/archive-picker.tsx'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { Cell, Row, Table, unseen } from '../../parts/table.tsx'

const MIB = 2 ** 20

/** Images that were pushed to this control plane: toolboxes load them without any registry. */
export function Images() {
  const images = useOperation(listImageArchives, {})
  const remove = useAction(removeImageArchive)
  const may = useMay('admin')
  return (
    <Card>
      <CardHeader title="Images" note="held here, for toolboxes without a registry" />
      <Reading of={images} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="p-4 text-pretty text-ink-soft">
              None so far. Save one with <code>docker save my/server:1.0 -o server.tar</code>, and choose that file here
              or push it with <code>agentopia image push server.tar</code>.
            </p>
          ) : (
            <Table
              label="Images"
              columns={[
                ['image', 'Image'],
                ['size', 'Size'],
                ['stored', 'Stored'],
                ['remove', unseen('Remove')],
              ]}
            >
              {items.map((archive) => (
                <Row key={archive.digest}>
                  <Cell>
                    <span className="block font-medium">{archive.image ?? 'without a name'}</span>
                    <span className="block font-mono text-2xs text-ink-faint" title={archive.digest}>
                      {archive.digest.slice(0, 19)} {archive.architecture}
                    </span>
                  </Cell>
                  <Cell className="tabular-nums">{sizeOf(archive)}</Cell>
                  <Cell className="text-ink-soft">
                    <RelativeTime at={archive.createdAt} />
                  </Cell>
                  <Cell className="text-right">
                    {may && (
                      <Button
                        kind="quiet"
                        size="tiny"
                        aria-label={`Remove ${archive.image ?? archive.digest}`}
                        pending={remove.isPending && remove.variables?.params.digest === archive.digest}
                        onClick={() => remove.mutate({ params: { digest: archive.digest } })}
                      >
                        <Trash2 />
                      </Button>
                    )}
                  </Cell>
                </Row>
              ))}
            </Table>
          )
        }
      </Reading>
      {may && (
        <div className="border-line border-t p-4">
          <ArchivePicker />
        </div>
      )}
      {remove.error && <ProblemNotice error={remove.error} className="m-4" />}
    </Card>
  )
}

const sizeOf = ({ size, received, state }: ImageArchive): string =>
  state === 'ready'
    ? `${Math.ceil(size / MIB)} MiB`
    : `${Math.floor((received / size) * 100)} % of ${Math.ceil(size / MIB)} MiB`
