import { ProblemError } from '@agentopia/api'
import { type ReactNode, useId, useState } from 'react'
import { notify } from '../shell/notices.ts'
import { Checkbox } from './checkbox.tsx'
import { ConfirmByName } from './confirm-by-name.tsx'

interface Removing {
  readonly error: Error | null
  readonly isPending: boolean
  readonly reset: () => void
}

interface RemoveToolsProps {
  readonly name: string
  readonly open: boolean
  readonly onClose: () => void
  readonly removing: Removing
  /** @param onSuccess To be run when it is on its way. */
  readonly remove: (force: 'true' | 'false', onSuccess: () => void) => void
  readonly onRemoved?: (() => void) | undefined
  /** What it means that agents lose them. */
  readonly fromToolbelts: string
  /** What goes with them. */
  readonly children: ReactNode
}

/** Asks twice: for the name, and, when agents still have what goes, whether it should leave their toolbelts too. */
export function RemoveTools(props: RemoveToolsProps) {
  const { name, open, onClose, removing, remove, onRemoved, fromToolbelts, children } = props
  const [force, setForce] = useState(false)
  const checkbox = useId()
  const inUse = removing.error instanceof ProblemError && removing.error.code === 'instance-in-use'
  const close = () => {
    removing.reset()
    setForce(false)
    onClose()
  }
  const confirm = () =>
    remove(force ? 'true' : 'false', () => {
      notify({ tone: 'busy', text: `${name} is being removed` })
      close()
      onRemoved?.()
    })
  return (
    <ConfirmByName
      open={open}
      onClose={close}
      title={`Remove ${name}`}
      name={name}
      verb="Remove"
      pending={removing.isPending}
      error={removing.error}
      onConfirm={confirm}
    >
      <p>{children}</p>
      {(inUse || force) && (
        <label htmlFor={checkbox} className="mt-3 flex items-start gap-2.5 text-ink">
          <Checkbox id={checkbox} checked={force} onCheckedChange={(on) => setForce(on === true)} className="mt-0.5" />
          {fromToolbelts}
        </label>
      )}
    </ConfirmByName>
  )
}
