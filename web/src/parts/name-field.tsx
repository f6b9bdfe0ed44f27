import { Name } from '@agentopia/api'
import type { ReactNode } from 'react'
import { Field } from './field.tsx'
import { Input } from './input.tsx'

/** Whether this may be the name of a toolbox, a tool instance or an agent. */
export const isName = (text: string): boolean => Name.safeParse(text).success

const RULE = 'Lower-case letters, digits and inner hyphens, at most 63'

interface NameFieldProps {
  readonly value: string
  readonly onChange: (value: string) => void
  /** Somebody has tried to go on: from now on it is said that it is no name. */
  readonly tried: boolean
  readonly label?: string
  readonly hint?: ReactNode
  /** What else is wrong with it. */
  readonly problem?: string | undefined
  readonly placeholder?: string
  readonly autoFocus?: boolean
}

/** Asks for a name, and says the rule of names once it is broken. */
export const NameField = ({
  value,
  onChange,
  tried,
  label = 'Name',
  hint,
  problem,
  placeholder,
  autoFocus,
}: NameFieldProps) => (
  <Field label={label} required hint={hint} problem={tried && !isName(value) ? RULE : problem}>
    {(control) => (
      <Input
        {...control}
        autoFocus={autoFocus}
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    )}
  </Field>
)
