import type { Clock } from '../../reconcile/clock.ts'
import type { Store } from '../../store/connect.ts'
import { createShortMemory } from '../short-memory.ts'
import { findRegisteredClient } from './client.store.ts'
import { isDocumentAddress, type ReadClientDocument } from './client-document.ts'
import type { OAuthClient } from './client-metadata.ts'

/** A document is fetched again after this long. */
const MEMORY_MS = 300_000

export interface ClientFinder {
  /** By the id that we gave it. `undefined`: there is none. */
  registered(clientId: string): Promise<OAuthClient | undefined>
  /**
   * By that, or by its metadata document, for which another site is dialled: only for people who are signed in.
   * @throws {OAuthError} `invalid_client` when the document cannot be read.
   */
  any(clientId: string, signal: AbortSignal): Promise<OAuthClient | undefined>
}

export function createClientFinder(store: Store, clock: Pick<Clock, 'steady'>, read: ReadClientDocument): ClientFinder {
  const documents = createShortMemory<OAuthClient>(clock, { ttlMs: MEMORY_MS, most: 1_000 })

  const registered = async (clientId: string) =>
    /^client_[0-9a-z]{16}$/.test(clientId) ? store.system((tx) => findRegisteredClient(tx, clientId)) : undefined

  return {
    registered,
    any: (clientId, signal) =>
      isDocumentAddress(clientId) ? documents.recall(clientId, () => read(clientId, signal)) : registered(clientId),
  }
}
