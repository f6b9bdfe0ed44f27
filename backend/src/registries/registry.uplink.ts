import { problem } from '@agentopia/api'
import { readRegistryCredential, registryOf, type ToolPackage } from '@agentopia/dtma/contract'
import { and, eq, ne } from 'drizzle-orm'
import type { Hono } from 'hono'
import type { Catalog } from '../catalog/catalog.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import { createRateLimit } from '../http/rate-limit.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { instances, registryCredentials, toolboxes } from '../store/schema/index.ts'
import type { Sealer } from '../store/seal.ts'
import type { DtmaIdentity } from '../uplink/authenticate.ts'
import { mountUplink } from '../uplink/mount-uplink.ts'
import { sealedPasswordOf } from './registry.store.ts'

export interface RegistryUplinkDeps {
  readonly store: Store
  readonly catalog: Catalog
  readonly clock: Clock
  readonly sealer: Pick<Sealer, 'open'>
  readonly log: Log
  /** @returns `undefined` for a token that is none, or was revoked. */
  readonly authenticate: (token: string) => Promise<DtmaIdentity | undefined>
}

/** Thirty a minute. */
const RATE = { burst: 30, perSecond: 0.5 } as const

/** Gives a toolbox the credential for a pull: of its own account, and only for where one of its tools comes from. */
export function registryUplink(app: Hono, deps: RegistryUplinkDeps): void {
  const { store, catalog, clock, sealer, log, authenticate } = deps
  const rate = createRateLimit({ steady: clock.steady, ...RATE })

  mountUplink(app, readRegistryCredential, async ({ body: { registry } }, token) => {
    const identity = token === undefined ? undefined : await authenticate(token)
    if (!identity) throw problem('unauthenticated', 'This token is not the one of a toolbox')
    const { accountId, toolboxId } = identity
    if (!rate.admit(toolboxId)) throw problem('rate-limited', 'This toolbox asks for credentials too often')
    const row = await store.tenant(accountId, async (tx) => {
      const packages = await packagesOn(tx, toolboxId, catalog)
      if (!packages.some((pkg) => isPulledFrom(pkg, registry))) return undefined
      const [found] = await tx.select().from(registryCredentials).where(eq(registryCredentials.registry, registry))
      return found
    })
    if (!row) return {}
    log.info({ toolboxId, registry }, 'the credential of a registry was given to a toolbox')
    const { username } = row
    return { credential: { username, password: sealer.open(row.password, sealedPasswordOf(accountId, registry)) } }
  })
}

/** What the tools on a toolbox are made of; nothing while it is quarantined. */
export async function packagesOn(tx: Tx, toolboxId: string, catalog: Catalog): Promise<ToolPackage[]> {
  const rows = await tx
    .select({ toolId: instances.toolId, recipe: instances.recipe })
    .from(instances)
    .innerJoin(toolboxes, eq(toolboxes.id, instances.toolboxId))
    .where(and(eq(toolboxes.id, toolboxId), ne(toolboxes.status, 'quarantined'), ne(instances.desired, 'absent')))
  return rows.flatMap((row) => findRecipe(catalog, row)?.spec.package ?? [])
}

const isPulledFrom = (pkg: ToolPackage, registry: string): boolean =>
  pkg.type === 'oci' && pkg.archive === undefined && registryOf(pkg.image) === registry
