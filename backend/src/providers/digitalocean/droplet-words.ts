import type { ToolboxRow } from '../../toolboxes/toolbox.store.ts'

// What people are told about a droplet that is not as it should be: what happened, what it costs, what to do.

export const poweredOff = ({ doDropletId, placement }: Pick<ToolboxRow, 'doDropletId' | 'placement'>): string =>
  `Its droplet ${doDropletId ?? ''} is powered off, and costs ${placement ? `$${placement.monthlyUsd} a month` : 'as much'} all the same. Power it on, or remove the toolbox`

export const lost = ({ doDropletId }: Pick<ToolboxRow, 'doDropletId'>): string =>
  `Its droplet ${doDropletId} does not exist any more: it was destroyed at DigitalOcean, with all that was on it. "Create again" makes another one and deploys its tools there; or remove the toolbox`
