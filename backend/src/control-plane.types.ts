import type { PackageIndexes } from '@agentopia/dtma/contract'
import type { ReadClientDocument } from './accounts/oauth/client-document.ts'
import type { SignOnConfig } from './accounts/sign-on.config.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { DiscoveryDeps } from './connections/connection.discovery.ts'
import type { TrustedProxies } from './http/client-address.ts'
import type { OwnNames } from './http/same-site.ts'
import type { RequestHandler, UpgradeHandler } from './http/server.ts'
import type { InstallSources } from './install/variants.ts'
import type { Log } from './log.ts'
import type { MasterKeys } from './master-key/master-key.file.ts'
import type { ToolboxProvider } from './providers/provider.ts'
import type { Clock } from './reconcile/clock.ts'
import type { Store } from './store/connect.ts'
import type { DirectConfig } from './toolboxes/direct-policy.ts'
import type { ToolboxLimits } from './toolboxes/toolbox-limits.ts'

export interface ControlPlaneDeps {
  readonly store: Store
  readonly masterKeys: MasterKeys
  readonly clock: Clock
  readonly log: Log
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  /** Origin under which browsers and agents come. */
  readonly publicUrl: string
  readonly own: OwnNames
  /** Proxies before us whose word about the client is believed; absent: none. */
  readonly trustedProxies?: TrustedProxies
  readonly pageDir: string
  /** Of the database's own server, as its file system knows it; absent: it runs elsewhere. */
  readonly storeDirectory?: string
  /** Directory of the journal of calls; this process's own. */
  readonly callsDir: string
  /** Directory of the archives of images; shared by all processes that serve one store. */
  readonly archivesDir: string
  readonly version: string
  /** After so long without a call an agent's own container stops. */
  readonly agentToolIdleMs: number
  /** What can be deployed; absent: the curated catalogue. */
  readonly catalog?: Catalog
  /** This machine as a provider; absent: it does not become a toolbox. */
  readonly local?: ToolboxProvider
  /** How other machines become toolboxes. */
  readonly machines: MachineConfig
  /** Where other control planes on this database reach this one, `host:port`; absent: it is the only one. */
  readonly replicaAddress?: string | undefined
  /** What the direct road may do; absent: what is the default. */
  readonly direct?: DirectConfig
  /** Fetches what an OAuth client says of itself; absent: from public addresses alone. */
  readonly readClientDocument?: ReadClientDocument
  /** By which provider people sign in; absent: by none. */
  readonly signOn?: SignOnConfig | undefined
  /** The way to services behind tools; absent: to public addresses, by https. */
  readonly upstream?: Partial<DiscoveryDeps>
  /** Begins the end: loops finish their step, streams close. */
  readonly signal: AbortSignal
}

interface MachineConfig extends InstallSources {
  /** Origin of DigitalOcean's API. */
  readonly digitalOceanUrl: string
  /** The way to it; tests bring their own. */
  readonly fetch?: typeof fetch
  /** Pins of the key under which this control plane is reached, as curl takes them. */
  readonly keyPin?: string
  /** Where toolboxes take packages from; absent: the public registries. */
  readonly packages?: PackageIndexes
  readonly limits: ToolboxLimits
}

export interface ControlPlane {
  readonly request: RequestHandler
  readonly upgrade: UpgradeHandler
  /** The same without a network: for tests. */
  readonly fetch: (request: Request) => Response | Promise<Response>
  /** Resolves after the signal, when everything has ended that was begun here. */
  readonly stopped: Promise<void>
}
