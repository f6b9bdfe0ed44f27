import { type ApiToken, createApiToken, type Reply } from '@agentopia/api'
import { useState } from 'react'
import { includesRole, useMe } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { SecretOnce } from '../../parts/secret-once.tsx'
import { Select } from '../../parts/select.tsx'
import { expiryOf, type TokenDraft, TokenForm } from '../../parts/token-form.tsx'

const ROLES = [
  ['viewer', 'reads'],
  ['operator', 'also deploys and grants'],
  ['admin', 'also removes agents and people'],
] as const satisfies readonly (readonly [ApiToken['role'], string])[]

export function CreateApiToken({ onClose }: { onClose: () => void }) {
  const me = useMe()
  const create = useAction(createApiToken)
  const [draft, setDraft] = useState<TokenDraft>({ name: '', lifetime: '90' })
  const [role, setRole] = useState<ApiToken['role']>('viewer')
  const [made, setMade] = useState<Reply<typeof createApiToken>>()

  if (made)
    return (
      <Dialog open onClose={onClose} title={made.token.name}>
        <DialogBody>
          <SecretOnce secret={made.secret} what="the secret" />
        </DialogBody>
        <DialogActions>
          <Button kind="primary" onClick={onClose}>
            I have it
          </Button>
        </DialogActions>
      </Dialog>
    )
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
        <Field label="Role">
          {(control) => (
            <Select
              {...control}
              value={role}
              onChange={(value) => setRole(ROLES.find(([name]) => name === value)?.[0] ?? 'viewer')}
              options={ROLES.map(([value, note]) => ({
                value,
                label: value,
                note,
                disabled: !me || !includesRole(me.role, value),
              }))}
            />
          )}
        </Field>
      </TokenForm>
    </Dialog>
  )
}
