import { problem } from '@agentopia/api'
import { createRateLimit } from '../http/rate-limit.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { authenticateDtma } from './authenticate.ts'
import { heldOf } from './enrolment.store.ts'
import { createGathering } from './gathering.ts'

/** Of toolboxes that send heartbeats; whoever is forgotten is looked up again. */
const MOST_KNOWN = 20_000
/** Far above what a DTMA sends while it deploys tools, far below what would harm the others. */
const RATE = { burst: 30, perSecond: 5 } as const
const GATHER_MS = 50

/** @throws {ProblemError} `unauthenticated` for the token of no toolbox, `rate-limited` for one that comes too often. */
export type HeartbeatDoor = (bearer: string | undefined) => Promise<void>

/**
 * Strangers do not make us read, let alone parse, what they send. A token that opened the door once opens it on without being looked up, for
 * most heartbeats write two numbers and ask nothing: whether it still holds is found where the heartbeat is counted.
 */
export function createHeartbeatDoor({ store, clock }: { readonly store: Store; readonly clock: Clock }): HeartbeatDoor {
  const known = new Set<string>()
  const requireRate = createHeartbeatRate(clock)
  const toolboxOf = authenticateDtma(store, clock.now)
  // However many strangers come at once, they are one question to the database.
  const lookUps = createGathering<true, boolean>(GATHER_MS, async (digests) => {
    const held = await store.system((tx) => heldOf(tx, [...digests.keys()], new Date(clock.now())))
    return new Map([...digests.keys()].map((digest) => [digest, held.has(digest)]))
  })
  const isOfToolbox = async (digest: string, bearer: string) =>
    (await lookUps.add(digest, true)) ?? (await toolboxOf(bearer)) !== undefined

  return async (bearer) => {
    if (!bearer) throw notOfToolbox()
    const digest = digestOf(bearer)
    if (known.has(digest)) return
    requireRate(digest)
    if (!(await isOfToolbox(digest, bearer))) throw notOfToolbox()
    known.add(digest)
    if (known.size > MOST_KNOWN) known.delete(known.values().next().value!)
  }
}

export const notOfToolbox = () => problem('unauthenticated', 'The bearer token is not one of a toolbox')

/** So often may one token come, that of a toolbox and one that is none. @throws {ProblemError} `rate-limited`, from the returned function. */
export function createHeartbeatRate({ steady }: Pick<Clock, 'steady'>): (digest: string) => void {
  const rate = createRateLimit({ steady, ...RATE })
  return (digest) => {
    if (!rate.admit(digest)) throw problem('rate-limited', 'This toolbox sends too many heartbeats')
  }
}
