import { problem } from '@agentopia/api'
import { type Client, getStatus, type OpenRoads, type RoadState, setRoad } from '@agentopia/dtma/contract'
import type { Roads } from '../toolboxes/roads.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { DialError, type DialFault } from '../uplink/direct/dial.ts'

/** A DTMA as far as its roads go, and what is between it and the control plane. */
export function fakeRoads(begins: OpenRoads = 'tunnel') {
  const dtma = {
    road: begins,
    port: 30_000,
    publicKey: 'its own key',
    /** The id that it answers with; absent: the right one. */
    toolboxId: undefined as string | undefined,
    /** What dialling it ends with, whatever it listens on. */
    fault: undefined as DialFault | undefined,
    /** The tunnel does not come up: what is between refuses it. */
    noTunnel: false,
    /** What it answers instead of changing its road. */
    refuses: undefined as Error | undefined,
    /** It does what it is told, and the answer is lost. */
    losesAnswers: false,
  }
  /** What it was told, by which road, in order. */
  const told: string[] = []
  const closed: string[] = []
  const busy = { tunnel: 0, direct: 0 }

  function wayTo(row: ToolboxRow): 'tunnel' | 'direct' {
    if (!row.direct) {
      if (dtma.road === 'direct' || dtma.noTunnel) throw problem('toolbox-unreachable', 'it is not connected')
      return 'tunnel'
    }
    const fault =
      dtma.fault ?? (row.publicKey === null ? 'pin_mismatch' : dtma.road === 'tunnel' ? 'refused' : undefined)
    if (fault) {
      const cause = new DialError(fault, `${row.direct.address}:${row.direct.port} ended as ${fault}`)
      throw problem('toolbox-unreachable', 'the connection broke', { cause })
    }
    return 'direct'
  }

  const clientOf = (row: ToolboxRow) => ({
    async call(operation: unknown, input: { body?: { road: OpenRoads; reach: string } }) {
      const way = wayTo(row)
      if (operation === getStatus) return { toolboxId: dtma.toolboxId ?? row.id }
      if (operation !== setRoad) throw new Error('nothing else is asked')
      if (dtma.refuses) throw dtma.refuses
      told.push(`${input.body!.road} by ${way}${input.body!.reach === 'machine' ? ', on the machine' : ''}`)
      dtma.road = input.body!.road
      if (dtma.losesAnswers) throw problem('toolbox-unreachable', 'the answer was lost')
      const { road, port, publicKey } = dtma
      return { road, host: '0.0.0.0', port, publicKey } satisfies RoadState
    },
  })

  return {
    dtma,
    told,
    closed,
    busy,
    clientOf: (row: ToolboxRow) => clientOf(row) as unknown as Client,
    roads: {
      inFlight: (_, road) => busy[road],
      closeDirect: (id) => void closed.push(id),
    } satisfies Pick<Roads, 'inFlight' | 'closeDirect'>,
  }
}
