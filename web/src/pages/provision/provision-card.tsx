import { IDLE_RESERVED_IP_USD_PER_MONTH, removeToolbox, retryToolbox, type Toolbox } from '@agentopia/api'
import { RotateCw, Terminal, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { CopyableId } from '../../parts/copyable.tsx'
import { Facts } from '../../parts/facts.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { notify } from '../../shell/notices.ts'
import { BootStages } from './boot-stages.tsx'
import { DropletMenu } from './droplet-menu.tsx'
import { DropletProgress } from './droplet-progress.tsx'
import { JoinInstructions } from './join-instructions.tsx'
import { SshSession } from './ssh-session.tsx'

const ENDING: readonly Toolbox['status'][] = [
  'pending_deprovision',
  'deprovisioning',
  'deprovisioned',
  'error_deprovisioning',
]

/** Where the machine comes from, how its installation went, and the way out. */
export function ProvisionCard({ toolbox }: { toolbox: Toolbox }) {
  const retry = useAction(retryToolbox)
  const may = useMay('operator')
  const [open, setOpen] = useState<'remove' | 'join' | 'ssh'>()
  const { id: toolboxId, placement, dropletId, boot, status, provider } = toolbox
  const lockedOut = status === 'quarantined'
  const isLost = status === 'lost'
  const waits =
    (provider === 'join' && ['provisioning', 'error_provisioning'].includes(status)) ||
    (lockedOut && provider !== 'local')
  const again =
    isLost || (status === 'error_provisioning' && provider === 'digitalocean') || (lockedOut && provider === 'local')
  return (
    <Card>
      <CardHeader title="Provisioning">
        {may && waits && (
          <Button size="small" onClick={() => setOpen('join')}>
            {lockedOut ? 'Enrol anew' : 'Show its line'}
          </Button>
        )}
        {may && provider === 'ssh' && !ENDING.includes(status) && (
          <Button size="small" onClick={() => setOpen('ssh')}>
            <Terminal />
            Over SSH
          </Button>
        )}
        {may && again && (
          <Button size="small" pending={retry.isPending} onClick={() => retry.mutate({ params: { toolboxId } })}>
            <RotateCw />
            {lockedOut ? 'Enrol anew' : isLost ? 'Create again' : 'Try again'}
          </Button>
        )}
        {may && dropletId !== undefined && !isLost && !ENDING.includes(status) && <DropletMenu toolbox={toolbox} />}
        {may && !ENDING.includes(status) && (
          <Button size="small" kind="destroy" onClick={() => setOpen('remove')}>
            <Trash2 />
            Remove
          </Button>
        )}
      </CardHeader>
      <div className="flex flex-col gap-4 p-4">
        {retry.error && <ProblemNotice error={retry.error} />}
        {lockedOut && (
          <p className="text-pretty text-ink-soft">
            Two machines hold the identity of this toolbox, so neither gets secrets or work any more; their tools run
            on. Decide which of them it is and enrol that one anew; take DTMA off the other.
          </p>
        )}
        {isLost && (
          <p className="text-pretty text-ink-soft">
            The droplet is gone, and so are the data that its tools kept there. The toolbox, its tools, and what agents
            may call of them are here still: created again, it gets a droplet of the same size in the same region, at
            the same price, and the tools are deployed there. Removed, its history stays.
          </p>
        )}
        {provider === 'digitalocean' && <DropletProgress toolboxId={toolboxId} />}
        {placement && (
          <Facts
            facts={[
              ['Droplet', dropletId ?? 'not made yet'],
              !isLost &&
                toolbox.publicIpAddress !== undefined && [
                  'Address',
                  <CopyableId key="address" id={toolbox.publicIpAddress} />,
                ],
              ['Region', placement.region],
              ['Size', placement.size],
              ['Image', /^\d+$/.test(placement.image) ? `snapshot ${placement.image}` : placement.image],
              toolbox.reservedIpAddress !== undefined && [
                'Reserved address',
                <CopyableId key="reserved" id={toolbox.reservedIpAddress} />,
              ],
              ['Cost', costOf(toolbox, placement.monthlyUsd)],
            ]}
          />
        )}
        {toolbox.ssh && (
          <Facts
            facts={[
              ['Server', `${toolbox.ssh.user}@${toolbox.ssh.host} port ${toolbox.ssh.port}`],
              ['Host key', toolbox.ssh.hostKey?.fingerprint ?? 'not accepted yet'],
            ]}
          />
        )}
        <BootStages
          boot={boot}
          waiting={
            provider === 'local' ? 'Made by this control plane itself.' : 'The machine has reported nothing yet.'
          }
        />
      </div>
      {open === 'join' && <JoinInstructions toolbox={toolbox} onClose={() => setOpen(undefined)} />}
      {open === 'ssh' && <SshSession toolbox={toolbox} onClose={() => setOpen(undefined)} />}
      <RemoveToolbox toolbox={toolbox} open={open === 'remove'} onClose={() => setOpen(undefined)} />
    </Card>
  )
}

/** What is paid for it now. A reserved address costs as long as it leads nowhere. */
function costOf({ status, reservedIpAddress }: Toolbox, monthlyUsd: number): string {
  if (status !== 'lost') return `$${monthlyUsd} a month, also while it is off`
  return reservedIpAddress === undefined
    ? 'nothing, while there is no droplet'
    : `$${IDLE_RESERVED_IP_USD_PER_MONTH} a month for its reserved address`
}

function RemoveToolbox({ toolbox, open, onClose }: { toolbox: Toolbox; open: boolean; onClose: () => void }) {
  const remove = useAction(removeToolbox)
  const { id: toolboxId, name, provider } = toolbox
  const confirm = () =>
    remove.mutate(
      { params: { toolboxId }, query: { confirm: name } },
      {
        onSuccess: () => {
          notify({ tone: 'busy', text: `${name} is being removed` })
          onClose()
        },
      },
    )
  return (
    <ConfirmByName
      open={open}
      onClose={onClose}
      title={`Remove ${name}`}
      name={name}
      verb="Remove"
      pending={remove.isPending}
      error={remove.error}
      onConfirm={confirm}
    >
      {provider === 'digitalocean'
        ? 'Its droplet is destroyed with everything on it, and a reserved address is given back. Its history stays, and so do its snapshots, which go on costing: see Settings.'
        : 'Its credentials open nothing from then on, and its tools leave every toolbelt. Its history stays.'}
    </ConfirmByName>
  )
}
