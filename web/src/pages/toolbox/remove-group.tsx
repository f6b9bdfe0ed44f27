import { ProblemError, removeGroup, type ToolGroup } from '@agentopia/api'
import { useId, useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { Checkbox } from '../../parts/checkbox.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { notify } from '../../shell/notices.ts'

interface RemoveGroupProps {
  readonly group: ToolGroup
  readonly open: boolean
  readonly onClose: () => void
}

/** Asks twice: for the name, and, when agents still have one of its tools, whether it should leave their toolbelts too. */
export function RemoveGroup({ group, open, onClose }: RemoveGroupProps) {
  const remove = useAction(removeGroup)
  const [force, setForce] = useState(false)
  const checkbox = useId()
  const { name, toolboxId, id: groupId, members } = group
  const inUse = remove.error instanceof ProblemError && remove.error.code === 'instance-in-use'
  const close = () => {
    remove.reset()
    setForce(false)
    onClose()
  }
  const confirm = () =>
    remove.mutate(
      { params: { toolboxId, groupId }, query: { force: force ? 'true' : 'false' } },
      {
        onSuccess: () => {
          notify({ tone: 'busy', text: `${name} is being removed` })
          close()
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
      <p>
        {members.map((member) => member.name).join(', ')}: the containers go, and with them all that the tools have
        stored. Their calls stay on record.
      </p>
      {(inUse || force) && (
        <label htmlFor={checkbox} className="mt-3 flex items-start gap-2.5 text-ink">
          <Checkbox id={checkbox} checked={force} onCheckedChange={(on) => setForce(on === true)} className="mt-0.5" />
          Take its tools out of every toolbelt as well. The agents lose their capabilities at once.
        </label>
      )}
    </ConfirmByName>
  )
}
