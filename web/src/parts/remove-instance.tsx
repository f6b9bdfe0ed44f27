import { ProblemError, removeInstance, type ToolInstance } from '@agentopia/api'
import { useId, useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { notify } from '../shell/notices.ts'
import { Checkbox } from './checkbox.tsx'
import { ConfirmByName } from './confirm-by-name.tsx'

interface RemoveInstanceProps {
  readonly instance: ToolInstance
  readonly open: boolean
  readonly onClose: () => void
  readonly onRemoved?: (() => void) | undefined
}

/** Asks twice: for the name, and, when agents still have it, whether it should leave their toolbelts too. */
export function RemoveInstance({ instance, open, onClose, onRemoved }: RemoveInstanceProps) {
  const remove = useAction(removeInstance)
  const [force, setForce] = useState(false)
  const checkbox = useId()
  const { name, toolboxId, id: instanceId } = instance
  const inUse = remove.error instanceof ProblemError && remove.error.code === 'instance-in-use'
  const close = () => {
    remove.reset()
    setForce(false)
    onClose()
  }
  const confirm = () =>
    remove.mutate(
      { params: { toolboxId, instanceId }, query: { force: force ? 'true' : 'false' } },
      {
        onSuccess: () => {
          notify({ tone: 'busy', text: `${name} is being removed` })
          close()
          onRemoved?.()
        },
      },
    )
  return (
    <ConfirmByName
      open={open}
      onClose={close}
      title={`Remove ${name}`}
      name={name}
      verb="Remove"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={confirm}
    >
      <p>Its container goes, and with it all that the tool has stored. Its calls stay on record.</p>
      {(inUse || force) && (
        <label htmlFor={checkbox} className="mt-3 flex items-start gap-2.5 text-ink">
          <Checkbox id={checkbox} checked={force} onCheckedChange={(on) => setForce(on === true)} className="mt-0.5" />
          Take it out of every toolbelt as well. The agents lose its capabilities at once.
        </label>
      )}
    </ConfirmByName>
  )
}
