import { createJoinLine, getToolbox, type Toolbox } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { CopyButton } from '../../parts/copyable.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { BootStages } from './boot-stages.tsx'

/** The line that turns a server into this toolbox, and what it does there. The token is shown this once. */
export function JoinInstructions({ toolbox, onClose }: { toolbox: Toolbox; onClose: () => void }) {
  const line = useAction(createJoinLine)
  const { mutate } = line
  const { id: toolboxId } = toolbox
  useEffect(() => mutate({ params: { toolboxId } }), [mutate, toolboxId])
  const now = useOperation(getToolbox, { params: { toolboxId } }, { everyMs: 5_000 }).data ?? toolbox
  const active = now.status === 'active'
  return (
    <Dialog open onClose={onClose} title={active ? `${toolbox.name} is active` : `Join ${toolbox.name}`}>
      <DialogBody>
        {line.error && <ProblemNotice error={line.error} />}
        {line.data && !active && (
          <>
            <p className="text-pretty text-ink-soft">
              Paste this line into a terminal of the server: Debian, Ubuntu, or any Linux with Docker. It works once,
              until {new Date(line.data.expiresAt).toLocaleTimeString()}, and needs no open port.
            </p>
            <div className="flex items-start gap-2 rounded-md border border-copper/60 bg-warn-soft py-1.5 pr-1.5 pl-3">
              <code data-secret className="wrap-anywhere max-h-40 flex-1 overflow-y-auto text-xs">
                {line.data.line}
              </code>
              <CopyButton kind="plain" text={line.data.line} what="the line">
                Copy
              </CopyButton>
            </div>
            {line.data.warning && <p className="text-pretty text-warn">{line.data.warning}</p>}
          </>
        )}
        <BootStages boot={now.boot} waiting="Nothing was heard from the server yet." />
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
        <Button asChild kind={active ? 'primary' : 'plain'}>
          <Link to="/toolboxes/$toolboxId/{-$tab}" params={{ toolboxId }}>
            Open its console
          </Link>
        </Button>
      </DialogActions>
    </Dialog>
  )
}
