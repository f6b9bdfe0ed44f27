import { Field } from './field.tsx'
import { Input } from './input.tsx'

interface PasswordFieldProps {
  readonly label: string
  readonly required?: boolean
  readonly value: string
  readonly onChange: (value: string) => void
}

/** The password that somebody has, asked for once more. */
export function PasswordField({ label, required, value, onChange }: PasswordFieldProps) {
  return (
    <Field label={label} {...(required ? { required } : {})}>
      {(control) => (
        <Input
          {...control}
          type="password"
          autoComplete="current-password"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}
