import { X } from 'lucide-react'
import { Button } from '../../parts/button.tsx'
import { Checkbox } from '../../parts/checkbox.tsx'
import { NameField } from '../../parts/name-field.tsx'
import { SchemaForm } from '../../parts/schema-form.tsx'
import { ToolIcon } from '../../parts/tool-icon.tsx'
import { fieldsOfConfig } from '../../schema/form-fields.ts'
import { readValues } from '../../schema/form-values.ts'
import type { DraftMember } from './group-members.ts'

interface GroupMemberFieldsProps {
  readonly draft: DraftMember
  /** Names of what it can depend on. */
  readonly others: readonly string[]
  readonly tried: boolean
  readonly onChange: (draft: DraftMember) => void
  readonly onRemove: () => void
}

/** One tool of a group that is being made. */
export function GroupMemberFields({ draft, others, tried, onChange, onRemove }: GroupMemberFieldsProps) {
  const { tool, name, values, dependsOn } = draft
  const fields = fieldsOfConfig(tool.config)
  const filled = readValues(fields, values)
  const depend = (other: string, on: boolean) =>
    onChange({ ...draft, dependsOn: on ? [...dependsOn, other] : dependsOn.filter((one) => one !== other) })
  return (
    <fieldset className="flex flex-col gap-3 rounded-lg border border-line px-4 py-3">
      <legend className="sr-only">{name || tool.title}</legend>
      <div className="flex items-center gap-2.5">
        <ToolIcon name={tool.icon} />
        <span className="font-semibold">{tool.title}</span>
        <Button
          kind="quiet"
          size="icon"
          className="ml-auto"
          aria-label={`Leave ${name || tool.title} out`}
          onClick={onRemove}
        >
          <X />
        </Button>
      </div>
      <NameField
        label={`Name of ${tool.title}`}
        hint="Prefix of its capabilities for agents"
        value={name}
        onChange={(next) => onChange({ ...draft, name: next })}
        tried={tried}
      />
      {others.length > 0 && (
        <fieldset className="flex flex-col gap-1.5">
          <legend className="pb-1.5 font-medium text-ink text-xs">{name || tool.title} comes after</legend>
          <div className="flex flex-wrap gap-x-4 gap-y-1.5">
            {others.map((other) => (
              <label
                key={other}
                htmlFor={`${draft.key}-after-${other}`}
                className="flex items-center gap-2 text-ink text-sm"
              >
                <Checkbox
                  id={`${draft.key}-after-${other}`}
                  checked={dependsOn.includes(other)}
                  onCheckedChange={(on) => depend(other, on === true)}
                />
                {other}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <SchemaForm
        fields={fields}
        values={values}
        onChange={(next) => onChange({ ...draft, values: next })}
        problems={tried && !filled.ok ? filled.problems : {}}
      />
    </fieldset>
  )
}
