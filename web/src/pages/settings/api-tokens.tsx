import { listApiTokens, revokeApiToken } from '@agentopia/api'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Reading } from '../../parts/reading.tsx'
import { SkeletonRows } from '../../parts/skeleton.tsx'
import { TokenTable } from '../../parts/token-table.tsx'
import { CreateApiToken } from './create-api-token.tsx'

/** Tokens of a person, for the command line and programs. */
export function ApiTokens() {
  const tokens = useOperation(listApiTokens, {})
  const revoke = useAction(revokeApiToken)
  const [creating, setCreating] = useState(false)
  return (
    <Card className="overflow-hidden">
      <CardHeader title="API tokens" note="for the command line, programs and models of operators">
        <Button size="small" onClick={() => setCreating(true)}>
          <Plus />
          Create a token
        </Button>
      </CardHeader>
      <Reading of={tokens} skeleton={<SkeletonRows rows={2} className="p-4" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="px-4 py-6 text-center text-ink-faint">
              No token yet. With one, <code>agentopia</code> and your programs can do what you can.
            </p>
          ) : (
            <TokenTable
              tokens={items}
              may
              pending={revoke.isPending}
              error={revoke.error}
              onRevoke={(tokenId, onSuccess) => revoke.mutate({ params: { tokenId } }, { onSuccess })}
            />
          )
        }
      </Reading>
      {creating && <CreateApiToken onClose={() => setCreating(false)} />}
    </Card>
  )
}
