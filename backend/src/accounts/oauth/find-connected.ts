import type { Log } from '../../log.ts'
import type { Clock } from '../../reconcile/clock.ts'
import { createSeldom } from '../../reconcile/seldom.ts'
import { digestOf } from '../../secret.ts'
import type { Store } from '../../store/connect.ts'
import { createShortMemory } from '../short-memory.ts'
import { type ConnectedIdentity, findConnectedIdentity, noteGrantUse } from './grant.store.ts'

/** How long a token that was found valid is believed without asking again. */
const MEMORY_MS = 5_000
const NOTED_EVERY_MS = 60_000

export interface ConnectedFinder {
  /** As which agent the holder of this access token acts at the MCP endpoint; `undefined`: as none. */
  find(secret: string): Promise<ConnectedIdentity | undefined>
  /** Something was revoked: ask again. */
  forget(): void
}

export interface ConnectedFinderDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** The MCP endpoint: the one address that tokens are shown at. */
  readonly resource: string
}

export function createConnectedFinder({ store, clock, log, resource }: ConnectedFinderDeps): ConnectedFinder {
  const memory = createShortMemory<ConnectedIdentity>(clock, { ttlMs: MEMORY_MS, most: 10_000 })
  const isDue = createSeldom(clock, NOTED_EVERY_MS)

  /** Nobody waits for it: a call is not slower, nor does it fail, for the sake of "last used". */
  function noteUse(grantId: string): void {
    if (!isDue(grantId)) return
    store
      .system((tx) => noteGrantUse(tx, grantId))
      .catch((err: unknown) => log.warn({ err, grantId }, 'use of a connected client not noted'))
  }

  return {
    async find(secret) {
      if (!/^oat_[\w-]{43}$/.test(secret)) return undefined
      const look = () => store.system((tx) => findConnectedIdentity(tx, secret, resource, new Date(clock.now())))
      const found = await memory.recall(digestOf(secret), look)
      if (!found || found.expiresAt.getTime() <= clock.now()) return undefined
      noteUse(found.grantId)
      return found
    },
    forget: memory.clear,
  }
}
