import { approveCapabilities, definitionDiff, gravest, type ToolbeltItem, updateToolbeltItem } from '@agentopia/api'
import { ShieldAlert } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { CapabilityBadges, hintsOf } from '../../parts/capability-badges.tsx'
import { Card } from '../../parts/card.tsx'
import { DefinitionChanges } from '../../parts/definition-changes.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { allowedOf } from '../../words/permissions.ts'

interface ChangedCapabilitiesProps {
  readonly item: ToolbeltItem
  readonly agentName: string
}

/** Says that capabilities are blocked because their server describes them otherwise than when they were allowed. */
export function ChangedCapabilities({ item, agentName }: ChangedCapabilitiesProps) {
  const [open, setOpen] = useState(false)
  const count = changedOf(item).length
  return (
    <>
      {count > 0 && <Blocked count={count} onReview={() => setOpen(true)} />}
      {open && <Review item={item} agentName={agentName} onClose={() => setOpen(false)} />}
    </>
  )
}

function Blocked({ count, onReview }: { count: number; onReview: () => void }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 border-bad/25 border-b bg-bad-soft px-4 py-2.5">
      <ShieldAlert className="size-4 shrink-0 text-bad" aria-hidden />
      <p role="status" className="min-w-0 flex-1 text-pretty text-ink text-sm">
        {count === 1 ? 'One capability is' : `${count} capabilities are`} not what was allowed any more, and blocked.
      </p>
      <Button size="small" onClick={onReview}>
        Review
      </Button>
    </div>
  )
}

function Review({ item, agentName, onClose }: ChangedCapabilitiesProps & { onClose: () => void }) {
  const changed = changedOf(item)
  return (
    <Dialog
      open
      onClose={onClose}
      size="wide"
      title={`What changed in ${item.instanceName}`}
      description={`Until it is approved, ${agentName} neither sees nor calls it. A server can change what it says at any time; read it as an instruction to the agent.`}
    >
      <DialogBody>
        {changed.length === 0 && <p className="py-6 text-center text-ink-soft">Nothing is left to decide.</p>}
        {changed.map((one) => (
          <ChangedCapability key={`${one.capability} ${one.to.digest}`} item={item} changed={one} />
        ))}
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  )
}

/** One of them: what differs, and the two answers to it. An approval names the definition that is shown here. */
function ChangedCapability({ item, changed }: { item: ToolbeltItem; changed: Changed }) {
  const { capability, from, to } = changed
  const may = useMay('operator')
  const approve = useAction(approveCapabilities)
  const deny = useAction(updateToolbeltItem)
  const changes = definitionDiff(from, to)
  const params = { agentId: item.agentId, toolbeltItemId: item.id }
  const pending = approve.isPending || deny.isPending
  const error = approve.error ?? deny.error
  const grave = gravest(changes) === 'danger'
  return (
    <Card className="shrink-0">
      <header className="flex flex-wrap items-center gap-x-2 gap-y-2 border-line border-b px-4 py-2.5">
        <h3 className="wrap-anywhere font-mono font-semibold text-sm">{capability}</h3>
        <CapabilityBadges {...hintsOf(to.annotations)} />
        <span className="ml-auto flex gap-2">
          <Button
            size="small"
            kind="danger"
            disabled={!may || approve.isPending}
            pending={deny.isPending}
            aria-label={`Deny ${capability}`}
            onClick={() =>
              deny.mutate({
                params,
                body: { allow: [...allowedOf(item.permissions)].filter((name) => name !== capability) },
              })
            }
          >
            Deny
          </Button>
          <Button
            size="small"
            kind={grave ? 'plain' : 'primary'}
            disabled={!may || pending}
            pending={approve.isPending}
            aria-label={`Approve ${capability}`}
            onClick={() => approve.mutate({ params, body: { approve: [{ capability, digest: to.digest }] } })}
          >
            Approve
          </Button>
        </span>
      </header>
      <div className="p-4">
        <DefinitionChanges changes={changes} />
        {error && <ProblemNotice error={error} className="mt-4" />}
      </div>
    </Card>
  )
}

const changedOf = (item: ToolbeltItem) =>
  item.permissions.flatMap(({ capability, changed }) => (changed ? [{ capability, ...changed }] : []))
type Changed = ReturnType<typeof changedOf>[number]
