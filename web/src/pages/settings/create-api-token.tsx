import { type ApiToken, connectSnippets, createApiToken, getInfo, type Reply } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { ConnectTabs } from '../../parts/connect-tabs.tsx'
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

  if (made) return <Made made={made} onClose={onClose} />
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

/** The secret, and how a model connects with it. */
function Made({ made: { token, secret }, onClose }: { made: Reply<typeof createApiToken>; onClose: () => void }) {
  const info = useOperation(getInfo, {})
  return (
    <SecretOnce title={token.name} secret={secret} what="the secret" size="wide" onClose={onClose}>
      {info.data && (
        <section aria-labelledby="connect-a-model" className="flex flex-col gap-2">
          <h3 id="connect-a-model" className="font-medium">
            Let a model run the control plane
          </h3>
          <p className="text-pretty text-ink-soft text-sm">
            An MCP client with this token may do what its role may, but for what takes a secret or the word of a person.
            {token.role !== 'viewer' && ' A model can be talked into something: give it the role viewer to look only.'}
          </p>
          <ConnectTabs snippets={connectSnippets({ name: 'operator', url: info.data.operatorUrl, secret })} />
        </section>
      )}
    </SecretOnce>
  )
}
