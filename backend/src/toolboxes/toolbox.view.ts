import type { Toolbox } from '@agentopia/api'
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
}

/** What people see of a toolbox. */
export function viewOf(row: ToolboxRow, { connected, toolCounts, listeningSince, now }: Surroundings): Toolbox {
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
  }
}

function optionalPart(row: ToolboxRow): Partial<Toolbox> {
  return {
    ...(row.statusReason ? { statusReason: row.statusReason } : {}),
    ...(row.lastHeartbeatAt ? { lastHeartbeatAt: row.lastHeartbeatAt.toISOString() } : {}),
    ...(row.placement ? { placement: row.placement } : {}),
    ...(row.doDropletId ? { dropletId: row.doDropletId } : {}),
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
