import { getCatalogTool, listToolboxes, type Tool, type Toolbox } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { Dialog, DialogBody } from '../../parts/dialog.tsx'
import { Reading } from '../../parts/reading.tsx'
import { byUrgency } from '../../words/toolbox-status.ts'
import { DeployForm } from './deploy-form.tsx'

interface DeployDialogProps {
  readonly toolId: string
  /** The toolbox to begin with; another can be chosen. */
  readonly toolboxId: string | undefined
  readonly onClose: () => void
}

/** Where a tool goes, what it is called there, and its settings. */
export function DeployDialog({ toolId, toolboxId, onClose }: DeployDialogProps) {
  const tool = useOperation(getCatalogTool, { params: { toolId } })
  const toolboxes = useOperation(listToolboxes, { query: {} })
  const title = tool.data ? `Deploy ${tool.data.title}` : 'Deploy a tool'
  return (
    <Dialog open onClose={onClose} title={title} description={tool.data?.summary}>
      {tool.data && toolboxes.data ? (
        <DeployForm
          tool={tool.data}
          toolboxes={fit(toolboxes.data.items)}
          initialToolboxId={toolboxId ?? firstChoice(toolboxes.data.items)}
          onClose={onClose}
        />
      ) : (
        <DialogBody>
          <Reading<Tool | { items: Toolbox[] }> of={tool.error ? tool : toolboxes}>{() => null}</Reading>
        </DialogBody>
      )}
    </Dialog>
  )
}

const fit = (toolboxes: readonly Toolbox[]): readonly Toolbox[] =>
  toolboxes
    .filter(({ status }) => !['deprovisioned', 'deprovisioning', 'pending_deprovision'].includes(status))
    .toSorted((a, b) => byUrgency(b, a))

const firstChoice = (toolboxes: readonly Toolbox[]): string | undefined =>
  (toolboxes.find(({ status }) => status === 'active') ?? fit(toolboxes)[0])?.id
