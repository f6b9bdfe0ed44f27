import { type ApiToken, createApiToken, type Reply } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { SecretOnce } from '../../parts/secret-once.tsx'
import { expiryOf, type TokenDraft, TokenForm } from '../../parts/token-form.tsx'
import { RoleField } from './role-field.tsx'
import { TOKEN_ROLES } from './roles.ts'

export function CreateApiToken({ onClose }: { onClose: () => void }) {
  const create = useAction(createApiToken)
  const [draft, setDraft] = useState<TokenDraft>({ name: '', lifetime: '90' })
  const [role, setRole] = useState<ApiToken['role']>('viewer')
  const [made, setMade] = useState<Reply<typeof createApiToken>>()

  if (made) return <SecretOnce title={made.token.name} secret={made.secret} what="the secret" onClose={onClose} />
  return (
    <Dialog
      open
      onClose={onClose}
      size="small"
      title="Create an API token"
      description="Whoever has it acts as you, within its role."
    >
      <TokenForm
        draft={draft}
        onChange={setDraft}
        placeholder="laptop"
        pending={create.isPending}
        error={create.error}
        onCancel={onClose}
        onSubmit={() =>
          create.mutate({ body: { name: draft.name.trim(), role, ...expiryOf(draft) } }, { onSuccess: setMade })
        }
      >
        <RoleField roles={TOKEN_ROLES} value={role} onChange={setRole} />
      </TokenForm>
    </Dialog>
  )
}
