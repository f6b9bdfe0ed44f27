import { type Credential, getCredential, revokeCredential, type ToolbeltItem } from '@agentopia/api'
import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { credentialTone, credentialWord } from '../../words/credential-state.ts'
import { ConnectionRow } from './connection-row.tsx'
import { CredentialForm } from './credential-form.tsx'

/** The secrets of one agent for one tool: what is known of them, and the ways to change them. Their values are never here. */
export function CredentialPanel({ item, agentName }: { item: ToolbeltItem; agentName: string }) {
  const params = { agentId: item.agentId, toolbeltItemId: item.id }
  const { data: credential, error } = useOperation(getCredential, { params })
  if (error) return <ProblemNotice error={error} className="m-4" />
  if (!credential || credential.state === 'not_needed') return null
  const { connection } = credential
  return (
    <>
      {connection && <ConnectionRow item={item} connection={connection} />}
      {byHandOf(credential).length > 0 && (
        <Known item={item} agentName={agentName} credential={{ ...credential, fields: byHandOf(credential) }} />
      )}
    </>
  )
}

/** What a connection fills in, nobody types. */
const byHandOf = ({ fields, connection }: Credential) => fields.filter(({ key }) => key !== connection?.field)

function Known({ item, agentName, credential }: { item: ToolbeltItem; agentName: string; credential: Credential }) {
  const may = useMay('operator')
  const revoke = useAction(revokeCredential)
  const [open, setOpen] = useState<'form' | 'revoke'>()
  const close = () => {
    revoke.reset()
    setOpen(undefined)
  }
  const stored = credential.version !== undefined
  return (
    <section
      aria-label={`Credential of ${agentName} for ${item.instanceName}`}
      className="flex flex-wrap items-center gap-x-3 gap-y-2 border-line border-b px-4 py-2.5"
    >
      <KeyRound className="size-4 text-ink-faint" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2">
          <Glyph tone={credentialTone(credential.state)} />
          {credentialWord(credential.state)}
        </p>
        <p className="wrap-anywhere text-ink-faint text-xs">
          {credential.reason ??
            credential.fields.map(({ title, set, hint }) => `${title}: ${set ? hint : 'not set'}`).join(', ')}
        </p>
      </div>
      <Button size="small" disabled={!may} onClick={() => setOpen('form')}>
        {stored ? 'Rotate' : 'Store'}
      </Button>
      {stored && (
        <Button size="small" kind="danger" disabled={!may} onClick={() => setOpen('revoke')}>
          Revoke
        </Button>
      )}
      {open === 'form' && <CredentialForm item={item} credential={credential} onClose={close} />}
      <ConfirmByName
        open={open === 'revoke'}
        onClose={close}
        title={`Revoke the secrets for ${item.instanceName}`}
        name={item.instanceName}
        verb="Revoke"
        pending={revoke.isPending}
        error={revoke.error}
        onConfirm={() =>
          revoke.mutate({ params: { agentId: item.agentId, toolbeltItemId: item.id } }, { onSuccess: close })
        }
      >
        The container of {agentName} stops, and its calls are refused until there are secrets again. The stored ones
        cannot be had back.
      </ConfirmByName>
    </section>
  )
}
