import type { PackageIndexes } from '@agentopia/dtma/contract'
import type { UpgradeHandler } from '../http/server.ts'
import { type OpenTunnelsDeps, openTunnels } from '../replicas/open-tunnels.ts'
import { applyToolReports } from '../tools/instance.report.ts'
import { authenticateDtma } from '../uplink/authenticate.ts'
import { createDirectRoads } from '../uplink/direct/direct-roads.ts'
import { createHeartbeats } from '../uplink/heartbeat.routes.ts'
import { createTunnelBeats } from '../uplink/tunnel/tunnel-beats.ts'
import { createTunnelDoor } from '../uplink/tunnel/tunnel-door.ts'
import { createTurns, type Turns } from '../uplink/turns.ts'
import { createDirectPolicy, type DirectConfig, type DirectPolicy } from './direct-policy.ts'
import { createRoads, type Roads } from './roads.ts'

export interface OpenRoadsDeps extends Omit<OpenTunnelsDeps, 'beatsOf' | 'onChange'> {
  readonly publicUrl: string
  readonly direct: DirectConfig
  /** Where toolboxes take packages from. */
  readonly packages: PackageIndexes
  /** There is news of a toolbox: whatever waits for it may go on. */
  readonly onNews: (toolboxId: string) => void
}

/** The ways by which toolboxes come to us, and we to them. */
export interface OpenRoads {
  readonly roads: Roads
  readonly directPolicy: DirectPolicy
  readonly turns: Turns
  /** A heartbeat, however it came. */
  readonly takeHeartbeat: ReturnType<typeof createHeartbeats>
  /** Whose token this is. */
  readonly byToolbox: ReturnType<typeof authenticateDtma>
  /** Lets in whoever opens a tunnel. */
  readonly upgrade: UpgradeHandler
  readonly stopped: Promise<void>
}

export async function openRoads({ publicUrl, direct, packages, onNews, ...deps }: OpenRoadsDeps): Promise<OpenRoads> {
  const { store, clock, log } = deps
  const turns = createTurns()
  const takeHeartbeat = createHeartbeats({ store, clock, turns, packages, onToolReports: applyToolReports, onNews })
  const beatsOf = createTunnelBeats(takeHeartbeat, log)
  const tunnels = await openTunnels({ ...deps, beatsOf, onChange: onNews })
  const directPolicy = createDirectPolicy(direct, publicUrl)
  const directRoads = createDirectRoads({ log, clock, onChange: onNews, mayDial: directPolicy.mayDial })
  const byToolbox = authenticateDtma(store, clock.now)
  return {
    roads: createRoads(tunnels.all, directRoads, directPolicy),
    directPolicy,
    turns,
    takeHeartbeat,
    byToolbox,
    upgrade: createTunnelDoor({ authenticate: byToolbox, tunnels: tunnels.own, turns, log }),
    stopped: tunnels.stopped,
  }
}
