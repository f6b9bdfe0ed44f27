import { problem } from '@agentopia/api'
import { type Client, createClient, type Fetch } from '@agentopia/dtma/contract'
import type { toolboxes } from '../store/schema/index.ts'
import type { SealedFor, Sealer } from '../store/seal.ts'

/** The columns that lead to a DTMA. */
export type DtmaAddress = Pick<typeof toolboxes.$inferSelect, 'id' | 'accountId' | 'backendToDtmaApiKey'>

/** The way to the DTMA of a toolbox. Nothing above it knows which road is used. */
export interface DtmaClients {
  /**
   * A client of the DTMA API of this toolbox, with its key. The caller brings the deadline of each call.
   * @throws {ProblemError} `toolbox-unreachable` when no tunnel is open, now or during a call.
   */
  clientOf(toolbox: DtmaAddress): Client
  /** The same road as a plain `fetch` that takes a path (`/tools/…/mcp`) and adds the key: for pass-through. Throws as above. */
  fetchOf(toolbox: DtmaAddress): Fetch
}

export interface DtmaClientDeps {
  /** The open tunnel of a toolbox as a `fetch`; `undefined` when there is none. */
  readonly tunnelOf: (toolboxId: string) => Fetch | undefined
  readonly sealer: Pick<Sealer, 'open'>
}

/** Authority of every request inside a tunnel. It is never resolved: the tunnel is the address. */
const INSIDE = 'http://dtma'

/** What the sealed BACKEND_TO_DTMA_API_KEY of a toolbox belongs to. */
export const sealedKeyOf = ({ id, accountId }: Pick<DtmaAddress, 'id' | 'accountId'>): SealedFor => ({
  purpose: 'dtma-api-key',
  accountId,
  recordId: id,
})

export function createDtmaClients({ tunnelOf, sealer }: DtmaClientDeps): DtmaClients {
  function keyOf(toolbox: DtmaAddress): string {
    const { id, backendToDtmaApiKey } = toolbox
    if (backendToDtmaApiKey) return sealer.open(backendToDtmaApiKey, sealedKeyOf(toolbox))
    throw problem('toolbox-unreachable', `The toolbox ${id} has not enrolled yet`)
  }

  function roadTo(toolboxId: string): Fetch {
    const tunnel = tunnelOf(toolboxId)
    if (!tunnel) throw problem('toolbox-unreachable', `The toolbox ${toolboxId} is not connected`)
    return (url, init) =>
      tunnel(url, init).catch((cause: unknown) => {
        if (init?.signal?.aborted) throw cause
        throw problem('toolbox-unreachable', `The connection to the toolbox ${toolboxId} broke`, { cause })
      })
  }

  return {
    clientOf: (toolbox) => createClient({ baseUrl: INSIDE, token: keyOf(toolbox), fetch: roadTo(toolbox.id) }),
    fetchOf(toolbox) {
      const road = roadTo(toolbox.id)
      const authorization = `Bearer ${keyOf(toolbox)}`
      return (path, init) => road(INSIDE + path, { ...init, headers: { ...init?.headers, authorization } })
    },
  }
}
