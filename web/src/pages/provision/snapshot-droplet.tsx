import { SNAPSHOT_USD_PER_GB_MONTH, type Toolbox } from '@agentopia/api'
import { useState } from 'react'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { isName, NameField } from '../../parts/name-field.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { bytes } from '../../words/quantity.ts'
import { useDropletAction } from './use-droplet-action.ts'

const GB = 1_000_000_000

/** A copy of the disk, with what it is going to cost. */
export function SnapshotDroplet({ toolbox, onClose }: { toolbox: Toolbox; onClose: () => void }) {
  const { ask, isPending, error } = useDropletAction(toolbox, onClose)
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const { system } = toolbox
  const cost = system ? Math.max(0.01, (system.diskUsedBytes / GB) * SNAPSHOT_USD_PER_GB_MONTH).toFixed(2) : undefined
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Snapshot of ${toolbox.name}`}
      description="A copy of its disk, from which other toolboxes can be made. The droplet goes on meanwhile."
    >
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          setTried(true)
          if (isName(name)) ask({ kind: 'snapshot', name })
        }}
      >
        <DialogBody>
          <NameField value={name} onChange={setName} tried={tried} placeholder="before-upgrade" autoFocus />
          <p className="text-pretty text-ink-soft">
            {cost && system
              ? `About $${cost} a month: ${bytes(system.diskUsedBytes)} are in use, and each GB costs $${SNAPSHOT_USD_PER_GB_MONTH} a month`
              : `Each GB costs $${SNAPSHOT_USD_PER_GB_MONTH} a month`}
            , until it is deleted under Settings; it outlives the toolbox. What is in it: the tools with their data, and
            no secret of agents.
          </p>
          {error && <ProblemNotice error={error} />}
        </DialogBody>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" pending={isPending}>
            {cost ? `Take it for about $${cost} a month` : 'Take it'}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
