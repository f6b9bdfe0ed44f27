import { removeInstance, type ToolInstance } from '@agentopia/api'
import { useAction } from '../api/use-action.ts'
import { RemoveTools } from './remove-tools.tsx'

interface RemoveInstanceProps {
  readonly instance: ToolInstance
  readonly open: boolean
  readonly onClose: () => void
  readonly onRemoved?: (() => void) | undefined
}

export function RemoveInstance({ instance, ...dialog }: RemoveInstanceProps) {
  const removing = useAction(removeInstance)
  const { name, toolboxId, id: instanceId } = instance
  return (
    <RemoveTools
      {...dialog}
      name={name}
      removing={removing}
      remove={(force, onSuccess) =>
        removing.mutate({ params: { toolboxId, instanceId }, query: { force } }, { onSuccess })
      }
      fromToolbelts="Take it out of every toolbelt as well. The agents lose its capabilities at once."
    >
      Its container goes, and with it all that the tool has stored. Its calls stay on record.
    </RemoveTools>
  )
}
