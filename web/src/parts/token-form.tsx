import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import { DialogActions, DialogBody } from './dialog.tsx'
import { Field } from './field.tsx'
import { Input } from './input.tsx'
import { ProblemNotice } from './problem-notice.tsx'
import { Select } from './select.tsx'

export interface TokenDraft {
  readonly name: string
  /** Days, as text; `never`. */
  readonly lifetime: string
}

const LIFETIMES = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'One year' },
  { value: 'never', label: 'Never' },
] as const

/** How the lifetime is asked for. */
export const expiryOf = ({ lifetime }: TokenDraft): { expiresInDays?: number } =>
  lifetime === 'never' ? {} : { expiresInDays: Number(lifetime) }

interface TokenFormProps {
  readonly draft: TokenDraft
  readonly onChange: (draft: TokenDraft) => void
  readonly placeholder: string
  readonly pending: boolean
  readonly error: Error | null
  readonly onCancel: () => void
  readonly onSubmit: () => void
  /** More fields. */
  readonly children?: ReactNode
}

export const TokenForm = ({
  draft,
  onChange,
  placeholder,
  pending,
  error,
  onCancel,
  onSubmit,
  children,
}: TokenFormProps) => (
  <form
    className="contents"
    onSubmit={(event) => {
      event.preventDefault()
      if (draft.name.trim() !== '') onSubmit()
    }}
  >
    <DialogBody>
      <Field label="Name" required hint="To tell tokens apart, for example where it is used">
        {(control) => (
          <Input
            {...control}
            autoFocus
            maxLength={100}
            placeholder={placeholder}
            value={draft.name}
            onChange={(event) => onChange({ ...draft, name: event.target.value })}
          />
        )}
      </Field>
      {children}
      <Field label="Expires">
        {(control) => (
          <Select
            {...control}
            className="max-w-52"
            value={draft.lifetime}
            onChange={(lifetime) => onChange({ ...draft, lifetime })}
            options={LIFETIMES}
          />
        )}
      </Field>
      {error && <ProblemNotice error={error} />}
    </DialogBody>
    <DialogActions>
      <Button onClick={onCancel}>Cancel</Button>
      <Button type="submit" kind="primary" pending={pending} disabled={draft.name.trim() === ''}>
        Create
      </Button>
    </DialogActions>
  </form>
)
