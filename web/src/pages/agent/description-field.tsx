import { Field } from '../../parts/field.tsx'
import { TextArea } from '../../parts/input.tsx'

interface DescriptionFieldProps {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly rows: number
}

export const DescriptionField = ({ value, onChange, rows }: DescriptionFieldProps) => (
  <Field label="What it does">
    {(control) => (
      <TextArea
        {...control}
        maxLength={500}
        rows={rows}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
)
