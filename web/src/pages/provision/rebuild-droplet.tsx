import type { Toolbox } from '@agentopia/api'
import { ConfirmByName } from '../../parts/confirm-by-name.tsx'
import { useDropletAction } from './use-droplet-action.ts'

/** A fresh disk: nothing brings back what was on the old one. */
export function RebuildDroplet({ toolbox, onClose }: { toolbox: Toolbox; onClose: () => void }) {
  const { ask, isPending, error } = useDropletAction(toolbox, onClose)
  const { name, placement } = toolbox
  return (
    <ConfirmByName
      open
      onClose={onClose}
      title={`Rebuild ${name}`}
      name={name}
      verb="Rebuild"
      pending={isPending}
      error={error}
      onConfirm={() => ask({ kind: 'rebuild', confirm: name })}
    >
      Its droplet gets a fresh disk from {placement?.image ?? 'its image'}, and keeps number, address and price.
      Everything on the old disk is gone, the data that tools kept, too. DTMA enrols anew with new keys, and the tools
      are deployed again, by themselves.
    </ConfirmByName>
  )
}
