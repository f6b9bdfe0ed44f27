import { createShortMemory } from '../accounts/short-memory.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import { createSeldom } from '../reconcile/seldom.ts'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { type AgentIdentity, findAgentIdentity, noteAgentTokenUse } from './agent-token.store.ts'

/** How long a token that was found valid is believed without asking again. */
const MEMORY_MS = 5_000
const NOTED_EVERY_MS = 60_000

export interface AgentFinder {
  /** Whose token `agt_…` this is; `undefined` for nobody's. */
  find(secret: string): Promise<AgentIdentity | undefined>
  /** Something was revoked: ask again. */
  forget(): void
}

export function createAgentFinder({
  store,
  clock,
  log,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}): AgentFinder {
  const memory = createShortMemory<AgentIdentity>(clock, { ttlMs: MEMORY_MS, most: 10_000 })
  const isDue = createSeldom(clock, NOTED_EVERY_MS)

  /** Nobody waits for it: a call is not slower, nor does it fail, for the sake of "last used". */
  function noteUse(tokenId: string): void {
    if (!isDue(tokenId)) return
    store
      .system((tx) => noteAgentTokenUse(tx, tokenId))
      .catch((err: unknown) => log.warn({ err, tokenId }, 'use of a token not noted'))
  }

  return {
    async find(secret) {
      if (!/^agt_[\w-]{20,100}$/.test(secret)) return undefined
      const found = await memory.recall(digestOf(secret), () => store.system((tx) => findAgentIdentity(tx, secret)))
      if (found) noteUse(found.tokenId)
      return found
    },
    forget: memory.clear,
  }
}
