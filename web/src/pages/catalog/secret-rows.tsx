import { Plus, X } from 'lucide-react'
import { Button } from '../../parts/button.tsx'
import { Checkbox } from '../../parts/checkbox.tsx'
import { Field } from '../../parts/field.tsx'
import { Input } from '../../parts/input.tsx'
import { Select } from '../../parts/select.tsx'
import { type DraftSecret, SECRETS_FOLDER } from './new-tool.ts'

interface SecretRowsProps {
  readonly secrets: readonly DraftSecret[]
  readonly onChange: (secrets: readonly DraftSecret[]) => void
}

const DELIVERIES = [
  { value: 'env', label: 'Variable' },
  { value: 'file', label: 'File in memory' },
] as const

/** Which secrets the tool takes of each agent, and where its server looks for them. Never their values. */
export function SecretRows({ secrets, onChange }: SecretRowsProps) {
  const add = () => {
    const row = Math.max(0, ...secrets.map((one) => one.row)) + 1
    onChange([...secrets, { row, name: '', label: '', delivery: 'env', place: '', required: true }])
  }
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="pb-1 font-medium text-ink text-xs">Secrets of each agent</legend>
      {secrets.map((secret, index) => (
        <SecretRow
          key={secret.row}
          secret={secret}
          number={index + 1}
          onChange={(changed) => onChange(secrets.map((one) => (one.row === changed.row ? changed : one)))}
          onRemove={() => onChange(secrets.filter(({ row }) => row !== secret.row))}
        />
      ))}
      <div>
        <Button size="small" onClick={add} disabled={secrets.length >= 16}>
          <Plus />
          Add a secret
        </Button>
      </div>
    </fieldset>
  )
}

interface SecretRowProps {
  readonly secret: DraftSecret
  readonly number: number
  readonly onChange: (secret: DraftSecret) => void
  readonly onRemove: () => void
}

function SecretRow({ secret, number, onChange, onRemove }: SecretRowProps) {
  const { row, name, label, delivery, place, required } = secret
  return (
    <div className="flex flex-col gap-3 rounded-lg border border-line px-4 py-3">
      <div className="flex flex-wrap gap-4">
        <Field label="Key" required className="w-36">
          {(control) => (
            <Input
              {...control}
              required
              spellCheck={false}
              placeholder="apiKey"
              pattern="[a-z][a-zA-Z0-9]{0,39}"
              title="A lower-case letter, then letters and digits"
              value={name}
              onChange={(event) => onChange({ ...secret, name: event.target.value })}
            />
          )}
        </Field>
        <Field label="Label" className="min-w-40 flex-1">
          {(control) => (
            <Input
              {...control}
              placeholder={name || 'API key'}
              value={label}
              onChange={(event) => onChange({ ...secret, label: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="flex flex-wrap items-end gap-4">
        <Field label="The server finds it in a" className="w-40">
          {(control) => (
            <Select
              {...control}
              value={delivery}
              options={DELIVERIES}
              onChange={(next) => onChange({ ...secret, delivery: next as DraftSecret['delivery'] })}
            />
          )}
        </Field>
        <Field
          label={delivery === 'env' ? 'Variable' : `File in ${SECRETS_FOLDER}`}
          required
          className="min-w-40 flex-1"
        >
          {(control) => (
            <Input
              {...control}
              required
              spellCheck={false}
              placeholder={delivery === 'env' ? 'API_KEY' : 'token'}
              value={place}
              onChange={(event) => onChange({ ...secret, place: event.target.value })}
            />
          )}
        </Field>
        <label htmlFor={`secret-${row}-required`} className="flex h-8.5 items-center gap-2 text-ink text-sm">
          <Checkbox
            id={`secret-${row}-required`}
            checked={required}
            onCheckedChange={(on) => onChange({ ...secret, required: on === true })}
          />
          Needed
        </label>
        <Button kind="quiet" size="icon" aria-label={`Leave secret ${number} out`} onClick={onRemove}>
          <X />
        </Button>
      </div>
    </div>
  )
}
