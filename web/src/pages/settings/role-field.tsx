import type { Role } from '@agentopia/api'
import { includesRole, useMe } from '../../api/me.ts'
import { Field } from '../../parts/field.tsx'
import { Select } from '../../parts/select.tsx'

interface RoleFieldProps<Of extends Role> {
  /** Each with what it may do, beyond the one before. */
  readonly roles: readonly (readonly [Of, string])[]
  readonly value: Of
  readonly onChange: (role: Of) => void
}

/** Asks for a role; nobody gives one that goes beyond his own. */
export function RoleField<Of extends Role>({ roles, value, onChange }: RoleFieldProps<Of>) {
  const me = useMe()
  return (
    <Field label="Role">
      {(control) => (
        <Select
          {...control}
          value={value}
          onChange={(chosen) => {
            const found = roles.find(([role]) => role === chosen)
            if (found) onChange(found[0])
          }}
          options={roles.map(([role, note]) => ({
            value: role,
            label: role,
            note,
            disabled: !me || !includesRole(me.role, role),
          }))}
        />
      )}
    </Field>
  )
}
