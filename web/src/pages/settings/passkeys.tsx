import { listPasskeys, removePasskey } from '@agentopia/api'
import { useState } from 'react'
import { knowsPasskeys } from '../../api/passkey.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Badge } from '../../parts/badge.tsx'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { Cell, Row, Table, unseen } from '../../parts/table.tsx'
import { AddPasskey } from './add-passkey.tsx'

const COLUMNS = [
  ['name', 'Passkey'],
  ['used', 'Last used', 'text-right'],
  ['since', 'Added', 'text-right'],
  ['remove', unseen('Remove')],
] as const

/** The keys with which a person signs in without a password. */
export function Passkeys() {
  const passkeys = useOperation(listPasskeys, {})
  const remove = useAction(removePasskey)
  const [adding, setAdding] = useState(false)
  return (
    <Card className="overflow-hidden">
      <CardHeader title="Passkeys" note="sign in with a fingerprint, a face or a key instead of a password">
        <Button size="small" disabled={!knowsPasskeys()} onClick={() => setAdding(true)}>
          Add a passkey
        </Button>
      </CardHeader>
      {!knowsPasskeys() && (
        <p className="px-4 pt-4 text-ink-soft">
          This browser has no passkeys for this page: it must be new enough, and the page encrypted or on this computer.
        </p>
      )}
      <Reading of={passkeys} skeleton={<SkeletonRows rows={1} className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="p-4 text-ink-soft">You have none yet.</p>
          ) : (
            <Table label="Passkeys" columns={COLUMNS}>
              {items.map(({ id, name, synced, lastUsedAt, createdAt }) => (
                <Row key={id}>
                  <Cell className="font-medium">
                    {name} {synced && <Badge>synced</Badge>}
                  </Cell>
                  <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                    {lastUsedAt ? <RelativeTime at={lastUsedAt} /> : 'never'}
                  </Cell>
                  <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                    <RelativeTime at={createdAt} />
                  </Cell>
                  <Cell className="text-right">
                    <Button
                      kind="danger"
                      size="small"
                      pending={remove.isPending && remove.variables?.params.passkeyId === id}
                      onClick={() => remove.mutate({ params: { passkeyId: id } })}
                    >
                      Remove
                    </Button>
                  </Cell>
                </Row>
              ))}
            </Table>
          )
        }
      </Reading>
      {remove.error && <ProblemNotice error={remove.error} className="m-4" />}
      {adding && <AddPasskey onClose={() => setAdding(false)} />}
    </Card>
  )
}
