import { createGuardedFetch } from '../http/guarded-fetch.ts'
import type { Mount } from '../http/mount.ts'
import { newId } from '../new-id.ts'
import { type LoopDeps, runLoop } from '../reconcile/loop.ts'
import type { DiscoveryDeps } from './connection.discovery.ts'
import { type ConnectionReconcilerDeps, connectionReconciler } from './connection.reconciler.ts'
import { type ConnectionRouteDeps, connectionRoutes } from './connection.routes.ts'
import { createTokenRequests } from './token-requests.ts'

export interface ConnectingDeps extends Pick<ConnectionReconcilerDeps, 'store' | 'sealer' | 'seals' | 'owner'> {
  readonly catalog: ConnectionRouteDeps['catalog']
  readonly publicUrl: string
  /** The way to services behind tools; absent: to public addresses, by https. */
  readonly upstream: Partial<DiscoveryDeps> | undefined
  readonly loop: LoopDeps
}

/** Connections of agents' tools to the services behind them: made by people, refreshed by a loop. */
export function createConnecting({ catalog, publicUrl, upstream, loop, ...shared }: ConnectingDeps) {
  const { clock, random, log } = loop
  const out: DiscoveryDeps = { fetch: upstream?.fetch ?? createGuardedFetch(), plain: upstream?.plain ?? false }
  const tokens = createTokenRequests({ ...out, sealer: shared.sealer })
  const { wake: wakeConnection, stopped } = runLoop(connectionReconciler({ ...shared, tokens, clock, random }), loop)
  return {
    routes: (mount: Mount, { wake, forget }: Pick<ConnectionRouteDeps, 'wake' | 'forget'>): void =>
      connectionRoutes(mount, {
        ...shared,
        ...out,
        catalog,
        tokens,
        clock,
        log,
        newId,
        publicUrl,
        wake,
        wakeConnection,
        forget,
      }),
    stopped,
  }
}
