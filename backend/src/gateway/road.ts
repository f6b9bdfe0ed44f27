import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { problem } from '@agentopia/api'
import type { Sealer } from '../store/seal.ts'
import { type DtmaAddress, sealedKeyOf } from '../toolboxes/dtma-client.ts'

export interface RoadRequest {
  readonly method: 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  /** It may share a stream with others of its kind. */
  readonly mayShare?: boolean
}

export interface RoadAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
  /** The whole body, where it came in one piece. */
  readonly text?: string
}

/**
 * The way of a call to the DTMA of a toolbox, with streams instead of a `fetch`: it is taken with every call.
 * @throws {ProblemError} `toolbox-unreachable`, before anything was sent or after.
 */
export type Road = (toolbox: DtmaAddress, request: RoadRequest) => Promise<RoadAnswer>

export interface RoadDeps {
  /** Sends by the road to a toolbox; `undefined` when there is none. */
  readonly send: (toolbox: DtmaAddress, request: RoadRequest) => Promise<RoadAnswer> | undefined
  readonly sealer: Pick<Sealer, 'open'>
}

export function createRoad({ send, sealer }: RoadDeps): Road {
  /** Keys opened lately: an address lives as long as the toolbelt that was read with it, a few seconds. */
  const opened = new WeakMap<DtmaAddress, string>()

  function keyOf(toolbox: DtmaAddress): string {
    const known = opened.get(toolbox)
    if (known !== undefined) return known
    if (!toolbox.backendToDtmaApiKey)
      throw problem(
        'toolbox-unreachable',
        `The toolbox ${toolbox.id} has no key: it has not enrolled, or is quarantined`,
      )
    const key = sealer.open(toolbox.backendToDtmaApiKey, sealedKeyOf(toolbox))
    opened.set(toolbox, key)
    return key
  }

  return async (toolbox, request) => {
    const headers = { ...request.headers, authorization: `Bearer ${keyOf(toolbox)}` }
    const sent = send(toolbox, { ...request, headers })
    if (!sent) throw problem('toolbox-unreachable', `The toolbox ${toolbox.id} is not connected`)
    return sent.catch((cause: unknown) => {
      if (request.signal.aborted) throw cause
      throw problem('toolbox-unreachable', `The connection to the toolbox ${toolbox.id} broke`, { cause })
    })
  }
}
