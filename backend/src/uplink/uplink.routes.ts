import type { Hono } from 'hono'
import { installRoutes } from '../install/install.routes.ts'
import type { Installer } from '../install/installer.ts'
import type { InstallSources } from '../install/variants.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import type { Sealer } from '../store/seal.ts'
import { bootRoutes } from './boot.routes.ts'
import { createChallenges } from './challenges.ts'
import { enrolRoutes } from './enrol.routes.ts'
import { createHeartbeatDoor } from './heartbeat.door.ts'
import { heartbeatRoutes, type TakeHeartbeat } from './heartbeat.routes.ts'
import { registryAuthRoutes } from './registry-auth.routes.ts'
import { renewalRoutes } from './renewal.routes.ts'
import type { Turns } from './turns.ts'

export interface UplinkRouteDeps {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly rootKey: Uint8Array
  readonly turns: Turns
  readonly takeHeartbeat: TakeHeartbeat
  readonly machines: InstallSources & { readonly keyPin?: string }
  readonly installer: Installer
  /** Public half of the key that signs releases of DTMA. */
  readonly releaseKey: string
  /** Connections of the toolbox are void: it has enrolled anew, or is quarantined. */
  readonly onVoid: (toolboxId: string) => void
  /** There is news of the toolbox. */
  readonly onNews: (toolboxId: string) => void
}

/** Everything that a machine asks of us: to be installed, to enrol, to report, to renew its credential. */
export function uplinkRoutes(app: Hono, deps: UplinkRouteDeps): void {
  const { store, sealer, clock, rootKey, turns, machines, installer, releaseKey, takeHeartbeat, onVoid, onNews } = deps
  installRoutes(app, { ...machines, installer })
  registryAuthRoutes(app, { store, clock, registry: machines.registry })
  bootRoutes(app, { store, clock, onNews })
  enrolRoutes(app, { store, sealer, clock, turns, releaseKey, onEnrolled: onVoid })
  renewalRoutes(app, {
    store,
    clock,
    turns,
    challenges: createChallenges(rootKey, clock.now),
    pins: machines.keyPin?.split(';'),
    onQuarantined: onVoid,
  })
  heartbeatRoutes(app, takeHeartbeat, createHeartbeatDoor({ store, clock }))
}
