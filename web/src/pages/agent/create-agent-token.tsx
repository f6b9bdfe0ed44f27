import { createAgentToken, type Reply } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { ConnectTabs } from '../../parts/connect-tabs.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { SecretOnce } from '../../parts/secret-once.tsx'
import { expiryOf, type TokenDraft, TokenForm } from '../../parts/token-form.tsx'

/** Makes a token and, once, shows its secret with configurations to paste. */
export function CreateAgentToken({ agentId, onClose }: { agentId: string; onClose: () => void }) {
  const create = useAction(createAgentToken)
  const [draft, setDraft] = useState<TokenDraft>({ name: '', lifetime: '90' })
  const [made, setMade] = useState<Reply<typeof createAgentToken>>()
  if (made) return <Made made={made} onClose={onClose} />
  return (
    <Dialog
      open
      onClose={onClose}
      size="small"
      title="Create a token"
      description="With it, an MCP client is this agent."
    >
      <TokenForm
        draft={draft}
        onChange={setDraft}
        placeholder="claude-code on my laptop"
        pending={create.isPending}
        error={create.error}
        onCancel={onClose}
        onSubmit={() =>
          create.mutate(
            { params: { agentId }, body: { name: draft.name.trim(), ...expiryOf(draft) } },
            { onSuccess: setMade },
          )
        }
      />
    </Dialog>
  )
}

const Made = ({ made, onClose }: { made: Reply<typeof createAgentToken>; onClose: () => void }) => (
  <SecretOnce
    title={`Connect with ${made.token.name}`}
    secret={made.secret}
    what="the secret"
    size="wide"
    onClose={onClose}
  >
    {made.snippets.length > 0 && <ConnectTabs snippets={made.snippets} />}
  </SecretOnce>
)
