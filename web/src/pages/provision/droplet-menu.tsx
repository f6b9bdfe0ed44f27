import {
  type DropletActionKind,
  IDLE_RESERVED_IP_USD_PER_MONTH,
  listDropletActions,
  type Toolbox,
} from '@agentopia/api'
import { Camera, ChevronDown, Globe, Plug, Power, RotateCw, Scaling, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Menu, MenuItem, MenuSeparator } from '../../parts/menu.tsx'
import { ConfirmDroplet } from './confirm-droplet.tsx'
import { RebuildDroplet } from './rebuild-droplet.tsx'
import { ResizeDroplet } from './resize-droplet.tsx'
import { SnapshotDroplet } from './snapshot-droplet.tsx'

/** What can be done with the droplet that there is. One thing at a time. */
export function DropletMenu({ toolbox }: { toolbox: Toolbox }) {
  const [open, setOpen] = useState<DropletActionKind>()
  const { id: toolboxId, reservedIpAddress, connected } = toolbox
  const newest = useOperation(listDropletActions, { params: { toolboxId }, query: { limit: 1 } }).data?.items[0]
  const busy = newest !== undefined && newest.endedAt === undefined
  const close = () => setOpen(undefined)
  return (
    <>
      <Menu
        trigger={
          <Button size="small" disabled={busy} title={busy ? `It is busy: ${newest.title}` : undefined}>
            Droplet
            <ChevronDown />
          </Button>
        }
      >
        <MenuItem onSelect={() => setOpen('reboot')}>
          <RotateCw />
          Reboot
        </MenuItem>
        <MenuItem onSelect={() => setOpen('power_cycle')}>
          <Plug />
          Switch off and on
        </MenuItem>
        {/* One that speaks to us is on. */}
        {!connected && (
          <MenuItem onSelect={() => setOpen('power_on')}>
            <Power />
            Power on
          </MenuItem>
        )}
        <MenuItem onSelect={() => setOpen('power_off')}>
          <Power />
          Power off
        </MenuItem>
        <MenuSeparator />
        <MenuItem onSelect={() => setOpen('resize')}>
          <Scaling />
          Resize …
        </MenuItem>
        <MenuItem onSelect={() => setOpen('snapshot')}>
          <Camera />
          Take a snapshot …
        </MenuItem>
        <MenuItem
          onSelect={() => setOpen(reservedIpAddress === undefined ? 'assign_reserved_ip' : 'release_reserved_ip')}
        >
          <Globe />
          {reservedIpAddress === undefined ? 'Reserve an address' : 'Release its reserved address'}
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger onSelect={() => setOpen('rebuild')}>
          <TriangleAlert />
          Rebuild …
        </MenuItem>
      </Menu>
      {open === 'resize' && <ResizeDroplet toolbox={toolbox} onClose={close} />}
      {open === 'snapshot' && <SnapshotDroplet toolbox={toolbox} onClose={close} />}
      {open === 'rebuild' && <RebuildDroplet toolbox={toolbox} onClose={close} />}
      {isPlain(open) && <ConfirmDroplet toolbox={toolbox} kind={open} {...wordsOf(open, toolbox)} onClose={close} />}
    </>
  )
}

type PlainKind = Exclude<DropletActionKind, 'resize' | 'snapshot' | 'rebuild'>

const isPlain = (kind: DropletActionKind | undefined): kind is PlainKind =>
  kind !== undefined && kind !== 'resize' && kind !== 'snapshot' && kind !== 'rebuild'

function wordsOf(kind: PlainKind, { name, placement, reservedIpAddress }: Toolbox): { verb: string; text: string } {
  switch (kind) {
    case 'reboot':
      return { verb: 'Reboot', text: `${name} restarts in order. Its tools stop, and come back by themselves.` }
    case 'power_cycle':
      return {
        verb: 'Switch off and on',
        text: `${name} loses its power for a moment, as by its plug: for one that does not reboot any more. What was not yet written to disk is lost.`,
      }
    case 'power_off':
      return {
        verb: 'Power off',
        text: `The tools of ${name} stop until it is powered on. It costs $${placement?.monthlyUsd ?? '?'} a month all the same.`,
      }
    case 'power_on':
      return { verb: 'Power on', text: `${name} starts, and its tools with it.` }
    case 'assign_reserved_ip':
      return {
        verb: 'Reserve an address',
        text: `${name} gets a second address that stays the same when it is rebuilt or replaced. It is free while it leads to a droplet, and is given back when the toolbox is removed; else it would cost $${IDLE_RESERVED_IP_USD_PER_MONTH} a month.`,
      }
    case 'release_reserved_ip':
      return {
        verb: 'Release the address',
        text: `${reservedIpAddress} leads nowhere from then on, and somebody else may get it.`,
      }
  }
}
