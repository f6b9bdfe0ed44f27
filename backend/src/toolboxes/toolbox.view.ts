import type { Toolbox } from '@agentopia/api'
import { rotationOf } from '../key-rotation/rotation.step.ts'
import type { Newest } from '../releases/releases.ts'
import { releaseOf, updateOf } from '../releases/update.view.ts'
import { roadChangeOf } from '../road-change/road-change.step.ts'
import { isSuspect } from './liveness.decision.ts'
import type { ToolboxRow, ToolCounts } from './toolbox.store.ts'

/** What a row alone does not tell. */
export interface Surroundings {
  /** A tunnel is open now. */
  readonly connected: boolean
  readonly toolCounts: ToolCounts | undefined
  /** Since when this control plane has been listening for heartbeats, milliseconds since the epoch. */
  readonly listeningSince: number
  readonly now: number
  /** Versions of DTMA that this control plane gives out. */
  readonly newest: Newest
}

/** What people see of a toolbox. */
export function viewOf(row: ToolboxRow, around: Surroundings): Toolbox {
  const { connected, toolCounts, listeningSince, now, newest } = around
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    status: row.status,
    statusSince: row.statusSince.toISOString(),
    suspect: row.status === 'active' && isSuspect(row.lastHeartbeatAt?.getTime() ?? 0, listeningSince, now),
    connected,
    toolCounts: toolCounts ?? { running: 0, total: 0 },
    createdAt: row.createdAt.toISOString(),
    ...optionalPart(row),
    ...dtmaPart(row, newest),
  }
}

function optionalPart(row: ToolboxRow): Partial<Toolbox> {
  return {
    ...(row.statusReason ? { statusReason: row.statusReason } : {}),
    ...(row.lastHeartbeatAt ? { lastHeartbeatAt: row.lastHeartbeatAt.toISOString() } : {}),
    ...(row.direct ? { direct: row.direct } : {}),
    ...(row.clockSkewMs === null ? {} : { clockSkewSeconds: row.clockSkewMs / 1_000 }),
    ...(row.placement ? { placement: row.placement } : {}),
    ...(row.doDropletId ? { dropletId: row.doDropletId } : {}),
    ...(row.provider === 'local' ? {} : { variant: row.installVariant }),
    ...(row.sshPlace ? { ssh: { ...row.sshPlace, ...(row.sshHostKey ? { hostKey: row.sshHostKey } : {}) } } : {}),
    ...(row.boot ? { boot: row.boot } : {}),
    ...(row.publicIpAddress ? { publicIpAddress: row.publicIpAddress } : {}),
    ...(row.reservedIpAddress ? { reservedIpAddress: row.reservedIpAddress } : {}),
    ...(row.dtmaVersion ? { dtmaVersion: row.dtmaVersion } : {}),
    ...(row.machine ? { machine: row.machine } : {}),
    ...(row.docker ? { docker: row.docker } : {}),
    ...(row.system ? { system: row.system } : {}),
    ...(row.observation ? { observation: row.observation } : {}),
    ...(row.deletedAt ? { deletedAt: row.deletedAt.toISOString() } : {}),
  }
}

function dtmaPart(row: ToolboxRow, newest: Newest): Partial<Toolbox> {
  const [release, update, keyRotation] = [releaseOf(row, newest), updateOf(row), rotationOf(row)]
  const roadChange = roadChangeOf(row)
  return {
    ...(release ? { release } : {}),
    ...(update ? { update } : {}),
    ...(keyRotation ? { keyRotation } : {}),
    ...(roadChange ? { roadChange } : {}),
  }
}
