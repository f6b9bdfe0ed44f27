import { problem } from '@agentopia/api'
import { type Client, createClient, type Fetch } from '@agentopia/dtma/contract'
import type { toolboxes } from '../store/schema/index.ts'
import type { SealedFor, Sealer } from '../store/seal.ts'
import type { Roads } from './roads.ts'

/** The columns that lead to a DTMA. */
export type DtmaAddress = Pick<
  typeof toolboxes.$inferSelect,
  'id' | 'accountId' | 'backendToDtmaApiKey' | 'direct' | 'publicIpAddress' | 'publicKey'
>

/** The way to the DTMA of a toolbox. Nothing above it knows which road is used. */
export interface DtmaClients {
  /**
   * A client of the DTMA API of this toolbox, with its key. The caller brings the deadline of each call.
   * @throws {ProblemError} `toolbox-unreachable` when there is no road to it, now or during a call.
   */
  clientOf(toolbox: DtmaAddress): Client
  /** The same road as a plain `fetch` that takes a path (`/tools/…/mcp`) and adds the key: for pass-through. Throws as above. */
  fetchOf(toolbox: DtmaAddress): Fetch
}

export interface DtmaClientDeps {
  readonly roadOf: Roads['fetchOf']
  readonly sealer: Pick<Sealer, 'open'>
}

/** Authority of every request. It is never resolved: the road is the address. */
const INSIDE = 'http://dtma'

/** What the sealed BACKEND_TO_DTMA_API_KEY of a toolbox belongs to. */
export const sealedKeyOf = ({ id, accountId }: Pick<DtmaAddress, 'id' | 'accountId'>): SealedFor => ({
  purpose: 'dtma-api-key',
  accountId,
  recordId: id,
})

export function createDtmaClients({ roadOf, sealer }: DtmaClientDeps): DtmaClients {
  function keyOf(toolbox: DtmaAddress): string {
    const { id, backendToDtmaApiKey } = toolbox
    if (backendToDtmaApiKey) return sealer.open(backendToDtmaApiKey, sealedKeyOf(toolbox))
    throw problem('toolbox-unreachable', `The toolbox ${id} has no key: it has not enrolled, or is quarantined`)
  }

  function roadTo(toolbox: DtmaAddress): Fetch {
    const toolboxId = toolbox.id
    const road = roadOf(toolbox)
    if (!road) throw problem('toolbox-unreachable', `The toolbox ${toolboxId} is not connected`)
    return (url, init) =>
      road(url, init).catch((cause: unknown) => {
        if (init?.signal?.aborted) throw cause
        throw problem('toolbox-unreachable', `The connection to the toolbox ${toolboxId} broke`, { cause })
      })
  }

  return {
    clientOf: (toolbox) => createClient({ baseUrl: INSIDE, token: keyOf(toolbox), fetch: roadTo(toolbox) }),
    fetchOf(toolbox) {
      const road = roadTo(toolbox)
      const authorization = `Bearer ${keyOf(toolbox)}`
      return (path, init) => road(INSIDE + path, { ...init, headers: { ...init?.headers, authorization } })
    },
  }
}
