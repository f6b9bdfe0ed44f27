import { createHash } from 'node:crypto'
import type { Sealer } from '../store/seal.ts'

/** What a tool sends through the hands of a client until it calls again: sealed, for one agent, one call, some time. */
export interface RequestStates {
  seal(state: string, belongsTo: StateOf): string
  /** `undefined` for what was changed, is another's or another call's, or too old. */
  open(sealed: string, belongsTo: StateOf): string | undefined
}

export interface StateOf {
  readonly accountId: string
  readonly agentId: string
  readonly itemId: string
  readonly method: string
  readonly capability: string
  /** The arguments, written. */
  readonly args: string
}

const VALID_MS = 15 * 60_000

export function createRequestStates(sealer: Sealer, now: () => number): RequestStates {
  const contextOf = ({ accountId, ...call }: StateOf) => ({
    purpose: 'request-state' as const,
    accountId,
    recordId: createHash('sha256').update(JSON.stringify(call)).digest('hex'),
  })

  return {
    seal: (state, call) => sealer.seal(JSON.stringify([now() + VALID_MS, state]), contextOf(call)),
    open(sealed, call) {
      try {
        const [until, state] = JSON.parse(sealer.open(sealed, contextOf(call))) as [number, string]
        return now() < until ? state : undefined
      } catch {
        return undefined // not ours, or not this call's: the client hears that it is not valid
      }
    },
  }
}
