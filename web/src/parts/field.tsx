import { type ReactNode, useId } from 'react'
import { cn } from './cn.ts'

export interface FieldControl {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': true | undefined
  readonly 'aria-required': true | undefined
}

interface FieldProps {
  readonly label: ReactNode
  /** What it is for; gives way to the problem. */
  readonly hint?: ReactNode
  readonly problem?: string | undefined
  readonly required?: boolean
  readonly className?: string
  /** Renders the control with what ties it to its label, hint and problem. */
  readonly children: (control: FieldControl) => ReactNode
}

/** A control with its label, what it is for, and what is wrong with it. */
export function Field({ label, hint, problem, required, className, children }: FieldProps) {
  const id = useId()
  const described = problem ? `${id}-problem` : hint ? `${id}-hint` : undefined
  return (
    <div className={cn('flex flex-col gap-1', className)}>
      <label htmlFor={id} className="font-medium text-ink text-xs">
        {label}
        {required && <span className="ml-1 font-normal text-ink-faint">needed</span>}
      </label>
      {children({
        id,
        'aria-describedby': described,
        'aria-invalid': problem ? true : undefined,
        'aria-required': required ? true : undefined,
      })}
      {hint && !problem && (
        <p id={`${id}-hint`} className="text-pretty text-ink-faint text-xs">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} role="alert" className="text-bad text-xs">
          {problem}
        </p>
      )}
    </div>
  )
}
