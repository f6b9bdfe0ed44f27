import { type Toolbox, updateToolboxes } from '@agentopia/api'
import { ArrowUpCircle } from 'lucide-react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { notify } from '../../shell/notices.ts'
import { outdated } from '../../words/dtma-update.ts'
import { count } from '../../words/quantity.ts'

/** Updates DTMA wherever it is older; not there when it is nowhere. */
export function UpdateAll({ toolboxes }: { toolboxes: readonly Toolbox[] }) {
  const ask = useAction(updateToolboxes)
  const may = useMay('operator')
  const older = outdated(toolboxes)
  if (!may || older.length === 0) return null
  const update = () =>
    ask.mutate(
      {},
      {
        onSuccess: ({ items }) =>
          notify({ tone: 'busy', text: `DTMA is being updated on ${count(items.length, 'toolbox', 'toolboxes')}` }),
      },
    )
  return (
    <Button pending={ask.isPending} onClick={update}>
      <ArrowUpCircle />
      Update DTMA on {older.length}
    </Button>
  )
}
