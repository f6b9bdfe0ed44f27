import type { Provider } from '@agentopia/api'
import type { Clock } from '../../reconcile/clock.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import type { Store } from '../../store/connect.ts'
import type { Sealer } from '../../store/seal.ts'
import { findToolbox } from '../../toolboxes/toolbox.store.ts'
import { createAccounts, type DigitalOceanAccounts } from './accounts.ts'
import { actionReconciler } from './action.reconciler.ts'
import { createDropletDoor, type DropletDoor } from './droplet.door.ts'
import { createDropletFinder } from './droplet.finder.ts'
import { dropletReconciler } from './droplet.reconciler.ts'
import { dropletSweep } from './droplet.sweep.ts'
import { environmentOf } from './droplet-names.ts'
import { createOptions, type Options } from './options.ts'
import { createSnapshots, type Snapshots } from './snapshots.ts'

export interface DigitalOceanDeps {
  readonly store: Store
  readonly rootKey: Uint8Array
  readonly sealer: Sealer
  readonly clock: Clock
  /** Origin of DigitalOcean's API. */
  readonly baseUrl: string
  readonly fetch: typeof fetch
  /** Origin under which droplets reach us, and the pins of its key. */
  readonly publicUrl: string
  readonly keyPin: string | undefined
  /** Identifier of this replica's process. */
  readonly owner: string
  /** From where droplets of the direct road are dialled. @throws {ProblemError} When nobody has said it. */
  readonly directSources: () => readonly string[]
  /** Closes the tunnel of a toolbox whose credentials are void. */
  readonly disconnect: (toolboxId: string) => void
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  /** Is the database one that was restored, and not looked at yet? */
  readonly isRecovering: () => boolean
  /** There is news of the toolbox. */
  readonly wake: (toolboxId: string) => void
}

/** DigitalOcean as a provider: whose tokens there are, what can be ordered, and what makes, finds and clears droplets. */
export interface DigitalOceanProvider {
  readonly accounts: DigitalOceanAccounts
  readonly options: Options
  readonly finder: { readonly name: 'digitalocean' } & ReturnType<typeof createDropletFinder>
  /** The firewall of a toolbox's machine; `undefined` where it is not ours to change. */
  readonly doorOf: (provider: Provider) => DropletDoor | undefined
  readonly reconciler: Reconciler
  readonly sweep: Reconciler
  readonly snapshots: Snapshots
  readonly actionReconciler: Reconciler
}

export function createDigitalOcean(deps: DigitalOceanDeps): DigitalOceanProvider {
  const { store, rootKey, sealer, clock, baseUrl, fetch, publicUrl, keyPin, owner } = deps
  const { directSources, disconnect, random, isRecovering, wake } = deps
  const environment = environmentOf(rootKey)
  const accounts = createAccounts({ store, sealer, baseUrl, fetch, steady: clock.steady })
  const { clientOf } = accounts
  const knownOf = async (toolboxId: string) => {
    const row = await store.system((tx) => findToolbox(tx, toolboxId))
    return row ? { client: await clientOf(row.accountId), dropletId: row.doDropletId ?? undefined } : {}
  }
  const droplets = { store, clock, clientOf, environment }
  const snapshots = createSnapshots({ store, clientOf, environment })
  const options = createOptions({ clientOf, steady: clock.steady, snapshotsOf: snapshots.of })
  const door = createDropletDoor({ clientOf, environment, directSources })
  return {
    accounts,
    options,
    snapshots,
    actionReconciler: actionReconciler({
      ...droplets,
      random,
      owner,
      disconnect,
      door,
      wake,
      priceOf: options.priceOf,
    }),
    finder: { name: 'digitalocean', ...createDropletFinder({ knownOf, environment }) },
    doorOf: (provider) => (provider === 'digitalocean' ? door : undefined),
    reconciler: dropletReconciler({ ...droplets, publicUrl, keyPin, owner, directSources, disconnect }),
    sweep: dropletSweep({ ...droplets, accountsWithToken: accounts.list, directSources, isRecovering }),
  }
}
