import { type ConnectedClient, disconnectClient, listConnectedClients } from '@agentopia/api'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { Reading } from '../../parts/reading.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { Cell, Row, Table, unseen } from '../../parts/table.tsx'

const COLUMNS = [
  ['name', 'Client'],
  ['host', 'Answered at'],
  ['used', 'Last used', 'text-right'],
  ['created', 'Connected', 'text-right'],
  ['disconnect', unseen('Disconnect')],
] as const

/** The programs that act as this agent because somebody let them. */
export function ConnectedClients({ agentId }: { agentId: string }) {
  const clients = useOperation(listConnectedClients, { params: { agentId } })
  const disconnect = useAction(disconnectClient)
  const may = useMay('operator')
  const [leaving, setLeaving] = useState<ConnectedClient>()
  return (
    <Card className="overflow-hidden">
      <CardHeader title="Connected clients" note="Programs that signed in by this page" />
      <Reading of={clients}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="px-4 py-4 text-pretty text-ink-soft">
              None yet. Give the address above to a client that can sign in: it opens this page, and you choose the
              agent.
            </p>
          ) : (
            <Table label="Connected clients" columns={COLUMNS}>
              {items.map((client) => (
                <Row key={client.id}>
                  <Cell className="font-medium">
                    <bdi className="wrap-anywhere">{client.name}</bdi>
                  </Cell>
                  <Cell>
                    <code className="text-ink-soft text-xs">{client.redirectHost}</code>
                  </Cell>
                  <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                    {client.lastUsedAt ? <RelativeTime at={client.lastUsedAt} /> : 'never'}
                  </Cell>
                  <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
                    <RelativeTime at={client.createdAt} />
                  </Cell>
                  <Cell className="text-right">
                    <Button kind="danger" size="small" disabled={!may} onClick={() => setLeaving(client)}>
                      Disconnect
                    </Button>
                  </Cell>
                </Row>
              ))}
            </Table>
          )
        }
      </Reading>
      <ConfirmByName
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={`Disconnect ${leaving?.name ?? 'the client'}`}
        name={leaving?.name ?? ''}
        verb="Disconnect"
        pending={disconnect.isPending}
        error={disconnect.error}
        onConfirm={() =>
          leaving &&
          disconnect.mutate({ params: { agentId, grantId: leaving.id } }, { onSuccess: () => setLeaving(undefined) })
        }
      >
        Its tokens are refused from then on. It may ask again, and somebody has to say yes again.
      </ConfirmByName>
    </Card>
  )
}
