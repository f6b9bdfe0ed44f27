import { type Credential, putCredential, type ToolbeltItem } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { Field } from '../../parts/field.tsx'
import { Input, TextArea } from '../../parts/input.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'

interface CredentialFormProps {
  readonly item: ToolbeltItem
  readonly credential: Credential
  readonly onClose: () => void
}

/** Takes the secrets that the tool declares. What is left empty keeps its value. */
export function CredentialForm({ item, credential, onClose }: CredentialFormProps) {
  const put = useAction(putCredential)
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
  const complete = credential.fields.every(({ key, required, set }) => !required || set || given[key] !== undefined)
  const ready = complete && Object.keys(given).length > 0

  return (
    <Dialog open onClose={onClose} size="small" title={`Secrets for ${item.instanceName}`}>
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          if (!ready) return
          const params = { agentId: item.agentId, toolbeltItemId: item.id }
          put.mutate({ params, body: { values: given } }, { onSuccess: onClose })
        }}
      >
        <DialogBody>
          {credential.fields.map(({ key, title, description, required, set, hint, target }, index) => {
            const change = (value: string) => setValues((before) => ({ ...before, [key]: value }))
            return (
              <Field
                key={key}
                label={title}
                required={required && !set}
                hint={[description, set ? `Stored: ${hint}. Leave empty to keep it.` : undefined]
                  .filter(Boolean)
                  .join(' ')}
              >
                {(control) =>
                  'file' in target ? (
                    <TextArea
                      {...control}
                      autoComplete="off"
                      spellCheck={false}
                      value={values[key] ?? ''}
                      onChange={(event) => change(event.target.value)}
                    />
                  ) : (
                    <Input
                      {...control}
                      type="password"
                      autoComplete="new-password"
                      autoFocus={index === 0}
                      value={values[key] ?? ''}
                      onChange={(event) => change(event.target.value)}
                    />
                  )
                }
              </Field>
            )
          })}
          {put.error && <ProblemNotice error={put.error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" pending={put.isPending} disabled={!ready}>
            Store
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
