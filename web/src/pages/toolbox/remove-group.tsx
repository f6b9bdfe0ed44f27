import { removeGroup, type ToolGroup } from '@agentopia/api'
import { useAction } from '../../api/use-action.ts'
import { RemoveTools } from '../../parts/remove-tools.tsx'

interface RemoveGroupProps {
  readonly group: ToolGroup
  readonly open: boolean
  readonly onClose: () => void
}

export function RemoveGroup({ group, ...dialog }: RemoveGroupProps) {
  const removing = useAction(removeGroup)
  const { name, toolboxId, id: groupId, members } = group
  return (
    <RemoveTools
      {...dialog}
      name={name}
      removing={removing}
      remove={(force, onSuccess) =>
        removing.mutate({ params: { toolboxId, groupId }, query: { force } }, { onSuccess })
      }
      fromToolbelts="Take its tools out of every toolbelt as well. The agents lose their capabilities at once."
    >
      {members.map((member) => member.name).join(', ')}: the containers go, and with them all that the tools have
      stored. Their calls stay on record.
    </RemoveTools>
  )
}
