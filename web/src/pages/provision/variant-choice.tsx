import { getInfo, type InstallVariant } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { Field } from '../../parts/field.tsx'
import { Select } from '../../parts/select.tsx'

const WORDS = {
  docker: ['A container', 'its image comes from here'],
  registry: ['A container', 'its image is pulled from a registry'],
  systemd: ['A service of systemd', 'its program comes from here'],
  git: ['A service of systemd', 'built on the machine from git'],
} as const satisfies Record<InstallVariant, readonly [string, string]>

interface VariantChoiceProps {
  readonly value: InstallVariant
  readonly onChange: (variant: InstallVariant) => void
}

/** How DTMA comes to the machine; nothing is asked where there is one way only. */
export function VariantChoice({ value, onChange }: VariantChoiceProps) {
  const variants = useOperation(getInfo, {}).data?.variants ?? []
  if (variants.length < 2) return null
  return (
    <Field label="DTMA runs as">
      {(control) => (
        <Select
          {...control}
          value={value}
          onChange={(variant) => onChange(variant as InstallVariant)}
          options={variants.map((variant) => ({ value: variant, label: WORDS[variant][0], note: WORDS[variant][1] }))}
        />
      )}
    </Field>
  )
}
