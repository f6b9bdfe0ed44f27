import type { FormField } from '../schema/form-fields.ts'
import type { FormValues } from '../schema/form-values.ts'
import { Field, type FieldControl } from './field.tsx'
import { Input, TextArea } from './input.tsx'
import { Select } from './select.tsx'

interface SchemaFormProps {
  readonly fields: readonly FormField[]
  readonly values: FormValues
  readonly onChange: (values: FormValues) => void
  readonly problems: Readonly<Record<string, string>>
}

/** The controls of a form that was made from a schema. */
export const SchemaForm = ({ fields, values, onChange, problems }: SchemaFormProps) => (
  <>
    {fields.map((field) => (
      <Field
        key={field.name}
        label={field.title}
        hint={field.description}
        required={field.required}
        problem={problems[field.name]}
      >
        {(control) => (
          <Control
            field={field}
            control={control}
            value={values[field.name]}
            onChange={(value) => onChange({ ...values, [field.name]: value })}
          />
        )}
      </Field>
    ))}
  </>
)

interface ControlProps {
  readonly field: FormField
  readonly control: FieldControl
  readonly value: string | boolean | undefined
  readonly onChange: (value: string | boolean | undefined) => void
}

const UNSET = '\u0000'

function Control({ field, control, value, onChange }: ControlProps) {
  const text = typeof value === 'string' ? value : ''
  switch (field.kind) {
    case 'boolean':
      return (
        <Select
          {...control}
          className="max-w-52"
          value={value === undefined ? UNSET : String(value)}
          onChange={(next) => onChange(next === UNSET ? undefined : next === 'true')}
          options={[
            ...(field.required ? [] : [{ value: UNSET, label: 'Not set' }]),
            { value: 'true', label: 'Yes' },
            { value: 'false', label: 'No' },
          ]}
        />
      )
    case 'choice':
      return (
        <Select
          {...control}
          className="max-w-80"
          value={text === '' ? UNSET : text}
          onChange={(next) => onChange(next === UNSET ? '' : next)}
          options={[
            ...(field.required && text !== '' ? [] : [{ value: UNSET, label: 'Not set' }]),
            ...(field.choices ?? []).map((choice) => ({ value: String(choice), label: String(choice) })),
          ]}
        />
      )
    case 'json':
      return (
        <TextArea
          {...control}
          rows={3}
          spellCheck={false}
          placeholder="JSON"
          className="font-mono text-xs"
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )
    case 'text':
      return text.includes('\n') || text.length > 90 ? (
        <TextArea {...control} rows={4} value={text} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <Input {...control} value={text} onChange={(event) => onChange(event.target.value)} />
      )
    default:
      return (
        <Input
          {...control}
          inputMode="decimal"
          className="max-w-52 tabular-nums"
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )
  }
}
