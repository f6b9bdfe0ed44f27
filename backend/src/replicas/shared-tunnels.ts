import type { DialledSessions } from '../uplink/dialled-sessions.ts'
import { type DtmaAnswer, type DtmaRequest, fetchOver } from '../uplink/dtma-session.ts'
import type { Tunnels } from '../uplink/tunnel/tunnels.ts'
import type { Directory, Holder } from './directory.ts'
import { SHARE_HEADER, TOOLBOX_HEADER } from './replica-door.ts'

export interface SharedTunnelsDeps {
  /** Those of this process. */
  readonly tunnels: Tunnels
  readonly directory: Pick<Directory, 'holderOf'>
  /** To the other replicas, by their addresses. */
  readonly lines: Pick<DialledSessions<string>, 'request' | 'closeAll'>
  /** The other replicas are to break the tunnel of this toolbox. */
  readonly onRevoke: (toolboxId: string) => void
}

/** The tunnels of all replicas, as if they were of this process: what another one holds is reached through it. */
export function createSharedTunnels({ tunnels, directory, lines, onRevoke }: SharedTunnelsDeps): Tunnels {
  const forwarded = new Map<string, number>()

  async function forward({ id, address }: Holder, toolboxId: string, asked: DtmaRequest): Promise<DtmaAnswer> {
    const { mayShare, ...request } = asked
    const headers = { ...request.headers, [TOOLBOX_HEADER]: toolboxId, ...(mayShare ? { [SHARE_HEADER]: 'yes' } : {}) }
    count(toolboxId, 1)
    const answer = await lines.request(id, address, { ...request, headers }).catch((error: unknown) => {
      count(toolboxId, -1)
      throw error
    })
    answer.body.once('close', () => count(toolboxId, -1))
    return answer
  }

  function count(toolboxId: string, more: 1 | -1): void {
    const now = (forwarded.get(toolboxId) ?? 0) + more
    if (now === 0) forwarded.delete(toolboxId)
    else forwarded.set(toolboxId, now)
  }

  /** Who else holds it; `undefined` too when we do. */
  const elsewhere = (toolboxId: string): Holder | undefined =>
    tunnels.isOpen(toolboxId) ? undefined : directory.holderOf(toolboxId)

  return {
    ...tunnels,
    isOpen: (toolboxId) => tunnels.isOpen(toolboxId) || directory.holderOf(toolboxId) !== undefined,
    request(toolboxId, asked) {
      const holder = elsewhere(toolboxId)
      return holder ? forward(holder, toolboxId, asked) : tunnels.request(toolboxId, asked)
    },
    fetchOf(toolboxId) {
      const holder = elsewhere(toolboxId)
      return holder ? fetchOver((asked) => forward(holder, toolboxId, asked)) : tunnels.fetchOf(toolboxId)
    },
    inFlight: (toolboxId) => tunnels.inFlight(toolboxId) + (forwarded.get(toolboxId) ?? 0),
    factsOf(toolboxId) {
      const holder = elsewhere(toolboxId)
      return holder ? { open: true, since: holder.since } : tunnels.factsOf(toolboxId)
    },
    revoke(toolboxId) {
      tunnels.revoke(toolboxId)
      onRevoke(toolboxId)
    },
    closeAll() {
      tunnels.closeAll()
      lines.closeAll()
    },
  }
}
