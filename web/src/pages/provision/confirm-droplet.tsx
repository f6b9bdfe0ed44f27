import type { DropletActionKind, Toolbox } from '@agentopia/api'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { useDropletAction } from './use-droplet-action.ts'

interface ConfirmDropletProps {
  readonly toolbox: Toolbox
  readonly kind: Exclude<DropletActionKind, 'resize' | 'snapshot' | 'rebuild'>
  /** What the button says. */
  readonly verb: string
  /** What comes of it. */
  readonly text: string
  readonly onClose: () => void
}

/** For what can be undone, but is felt. */
export function ConfirmDroplet({ toolbox, kind, verb, text, onClose }: ConfirmDropletProps) {
  const { ask, isPending, error } = useDropletAction(toolbox, onClose)
  return (
    <Dialog open onClose={onClose} title={`${verb}: ${toolbox.name}`} size="small">
      <DialogBody>
        <p className="text-pretty text-ink-soft">{text}</p>
        {error && <ProblemNotice error={error} />}
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" pending={isPending} onClick={() => ask({ kind })}>
          {verb}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
