import { listRollouts, startRollout, type Toolbox } from '@agentopia/api'
import { ArrowUpCircle } from 'lucide-react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { outdated } from '../../words/dtma-update.ts'
import { isOpen } from '../../words/rollout.ts'

/** Begins a rollout of DTMA to wherever it is older; not there when it is nowhere, or when one is at work. */
export function UpdateAll({ toolboxes }: { toolboxes: readonly Toolbox[] }) {
  const ask = useAction(startRollout)
  const may = useMay('operator')
  const older = outdated(toolboxes)
  const last = useOperation(listRollouts, {}).data?.items[0]
  if (!may || older.length === 0 || (last && isOpen(last))) return null
  return (
    <Button pending={ask.isPending} onClick={() => ask.mutate({})}>
      <ArrowUpCircle />
      Update DTMA on {older.length}
    </Button>
  )
}
