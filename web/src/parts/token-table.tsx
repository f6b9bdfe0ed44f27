import type { AgentToken } from '@agentopia/api'
import { useState } from 'react'
import { Button } from './button.tsx'
import { ConfirmByName } from './confirm-by-name.tsx'
import { RelativeTime } from './relative-time.tsx'
import { Cell, Row, Table, unseen } from './table.tsx'

type Token = AgentToken & { readonly role?: string }

interface TokenTableProps {
  readonly tokens: readonly Token[]
  readonly may: boolean
  readonly pending: boolean
  readonly error: Error | null
  readonly onRevoke: (tokenId: string, onSuccess: () => void) => void
}

const COLUMNS = [
  ['name', 'Name'],
  ['hint', 'Begins with'],
  ['role', 'Role'],
  ['used', 'Last used', 'text-right'],
  ['expires', 'Expires', 'text-right'],
  ['created', 'Created', 'text-right'],
  ['revoke', unseen('Revoke')],
] as const

/** Tokens, by what can be known of them: the secret is not among it. */
export function TokenTable({ tokens, may, pending, error, onRevoke }: TokenTableProps) {
  const [revoking, setRevoking] = useState<Token>()
  const withRole = tokens.some(({ role }) => role !== undefined)
  return (
    <>
      <Table label="Tokens" columns={COLUMNS.filter(([key]) => withRole || key !== 'role')}>
        {tokens.map((token) => (
          <Row key={token.id}>
            <Cell className="min-w-32 font-medium">{token.name}</Cell>
            <Cell>
              <code className="text-ink-soft text-xs">{token.hint}…</code>
            </Cell>
            {withRole && <Cell className="text-ink-soft">{token.role}</Cell>}
            <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
              {token.lastUsedAt ? <RelativeTime at={token.lastUsedAt} /> : 'never'}
            </Cell>
            <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
              {token.expiresAt ? <RelativeTime at={token.expiresAt} /> : 'never'}
            </Cell>
            <Cell className="whitespace-nowrap text-right text-ink-soft text-xs">
              <RelativeTime at={token.createdAt} />
            </Cell>
            <Cell className="text-right">
              <Button kind="danger" size="small" disabled={!may} onClick={() => setRevoking(token)}>
                Revoke
              </Button>
            </Cell>
          </Row>
        ))}
      </Table>
      <ConfirmByName
        open={revoking !== undefined}
        onClose={() => setRevoking(undefined)}
        title={`Revoke ${revoking?.name ?? 'the token'}`}
        name={revoking?.name ?? ''}
        verb="Revoke"
        pending={pending}
        error={error}
        onConfirm={() => revoking && onRevoke(revoking.id, () => setRevoking(undefined))}
      >
        Whoever uses it is refused from then on. This cannot be undone; a new token has a new secret.
      </ConfirmByName>
    </>
  )
}
