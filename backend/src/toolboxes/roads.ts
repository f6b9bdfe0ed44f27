import type { Road } from '@agentopia/api'
import type { Fetch } from '@agentopia/dtma/contract'
import type { DialTarget } from '../uplink/direct/dial.ts'
import type { DirectRoads } from '../uplink/direct/direct-roads.ts'
import { type DtmaAnswer, type DtmaRequest, fetchOver } from '../uplink/dtma-session.ts'
import type { Tunnels } from '../uplink/tunnel/tunnels.ts'
import type { TunnelFacts } from './diagnose.ts'
import type { DirectPolicy } from './direct-policy.ts'
import type { ToolboxRow } from './toolbox.store.ts'

/** The columns that say by which road a toolbox is reached, and who must be at its end. */
type RoadAddress = Pick<ToolboxRow, 'id' | 'direct' | 'publicIpAddress' | 'publicKey'>

/** The roads to all toolboxes: by the tunnel that its DTMA has dialled, or by dialling it. What is configured decides, alone. */
export interface Roads {
  /** `undefined` when there is no road now. */
  fetchOf(toolbox: RoadAddress): Fetch | undefined
  /** One request with streams at both ends, for the hot path. `undefined` when there is no road now. */
  request(toolbox: RoadAddress, request: DtmaRequest): Promise<DtmaAnswer> | undefined
  isOpen(toolboxId: string): boolean
  factsOf(toolboxId: string): TunnelFacts
  /** Dials a toolbox of the direct road, in vain or not; others dial us. */
  keepOpen(toolbox: RoadAddress): Promise<void>
  /** Requests by this road that have no whole answer yet. */
  inFlight(toolboxId: string, road: Road): number
  /** Ends the connection that we dialled, and what is under way over it. */
  closeDirect(toolboxId: string): void
  /** Ends what is open to a toolbox whose credentials no longer hold. */
  revoke(toolboxId: string): void
  closeAll(): void
}

export function createRoads(tunnels: Tunnels, direct: DirectRoads, policy: Pick<DirectPolicy, 'mayBePlain'>): Roads {
  function targetOf(toolbox: RoadAddress): DialTarget | undefined {
    const target = dialTargetOf(toolbox)
    return target && (target.publicKey !== undefined || policy.mayBePlain(target.host)) ? target : undefined
  }

  return {
    fetchOf(toolbox) {
      if (!toolbox.direct) return tunnels.fetchOf(toolbox.id)
      const target = targetOf(toolbox)
      return target && fetchOver((request) => direct.request(toolbox.id, target, request))
    },
    request(toolbox, request) {
      if (!toolbox.direct) return tunnels.request(toolbox.id, request)
      const target = targetOf(toolbox)
      return target && direct.request(toolbox.id, target, request)
    },
    isOpen: (toolboxId) => tunnels.isOpen(toolboxId) || direct.openSince(toolboxId) !== undefined,
    factsOf(toolboxId) {
      const since = direct.openSince(toolboxId)
      return since ? { open: true, since } : tunnels.factsOf(toolboxId)
    },
    async keepOpen(toolbox) {
      const target = targetOf(toolbox)
      if (target) await direct.open(toolbox.id, target)
    },
    inFlight: (toolboxId, road) => (road === 'direct' ? direct : tunnels).inFlight(toolboxId),
    closeDirect: direct.close,
    revoke(toolboxId) {
      tunnels.revoke(toolboxId)
      direct.close(toolboxId)
    },
    closeAll() {
      tunnels.closeAll()
      direct.closeAll()
    },
  }
}

/** Where a toolbox of the direct road is. `undefined` until it has an address and has enrolled: without a key nobody is spoken to. */
function dialTargetOf({ direct, publicIpAddress, publicKey }: RoadAddress): DialTarget | undefined {
  const host = direct?.address ?? publicIpAddress
  if (!direct || !host || !publicKey) return undefined
  return { host, port: direct.port, ...(direct.plainHttp ? {} : { publicKey }) }
}
