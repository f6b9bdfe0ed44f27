import { getInfo, listAgentTokens, revokeAgentToken } from '@agentopia/api'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { CopyableId } from '../../parts/copyable.tsx'
import { EmptyState } from '../../parts/empty-state.tsx'
import { Reading } from '../../parts/reading.tsx'
import { TokenTable } from '../../parts/token-table.tsx'
import { CreateAgentToken } from './create-agent-token.tsx'

/** The address where the agent finds its tools, and the tokens that it proves itself with. */
export function AgentTokens({ agentId }: { agentId: string }) {
  const tokens = useOperation(listAgentTokens, { params: { agentId } })
  const info = useOperation(getInfo, {})
  const revoke = useAction(revokeAgentToken)
  const may = useMay('operator')
  const [creating, setCreating] = useState(false)
  const create = (
    <Button kind="primary" disabled={!may} onClick={() => setCreating(true)}>
      <Plus />
      Create a token
    </Button>
  )
  return (
    <div className="flex flex-col gap-5">
      <Card className="p-4">
        <h2 className="font-semibold text-base">MCP endpoint</h2>
        <p className="mt-0.5 text-pretty text-ink-soft">
          One address for all its tools, over streamable HTTP. A client that can sign in needs nothing else; others send
          a token of this agent.
        </p>
        {info.data && (
          <CopyableId
            id={info.data.mcpUrl}
            className="mt-3 rounded-md border border-line bg-sunken px-3 py-2 text-sm"
          />
        )}
      </Card>
      <Reading of={tokens}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={<KeyRound />} title="No token yet" action={create}>
              With a token the agent can connect. Its secret is shown once, together with the configuration for the
              usual clients, ready to paste.
            </EmptyState>
          ) : (
            <Card className="overflow-hidden">
              <CardHeader title="Tokens">{create}</CardHeader>
              <TokenTable
                tokens={items}
                may={may}
                pending={revoke.isPending}
                error={revoke.error}
                onRevoke={(tokenId, onSuccess) => revoke.mutate({ params: { agentId, tokenId } }, { onSuccess })}
              />
            </Card>
          )
        }
      </Reading>
      {creating && <CreateAgentToken agentId={agentId} onClose={() => setCreating(false)} />}
    </div>
  )
}
