import { listRegistries, putRegistryCredential, removeRegistryCredential } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import type { Sealer } from '../store/seal.ts'
import { deleteRegistry, listRegistryRows, registryViewOf, sealedPasswordOf, storeRegistry } from './registry.store.ts'

export interface RegistryRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly sealer: Pick<Sealer, 'seal'>
}

export function registryRoutes(mount: Mount, { store, clock, sealer }: RegistryRouteDeps): void {
  mount.reply(listRegistries, (_, { caller }) =>
    store.tenant(caller.accountId, async (tx) => ({ items: (await listRegistryRows(tx)).map(registryViewOf) })),
  )

  mount.reply(putRegistryCredential, ({ params: { registry }, body }, { caller: { accountId, actor } }) =>
    store.tenant(accountId, async (tx) => {
      const { username } = body
      const password = sealer.seal(body.password, sealedPasswordOf(accountId, registry))
      const row = await storeRegistry(tx, {
        accountId,
        registry,
        username,
        password,
        changedAt: new Date(clock.now()),
      })
      const message = `Stored the credential of ${username} for the registry ${registry}`
      await recordActivity(tx, { accountId, actor, action: 'registry.credential-set', subject: registry, message })
      return registryViewOf(row)
    }),
  )

  mount.reply(removeRegistryCredential, ({ params: { registry } }, { caller: { accountId, actor } }) =>
    store.tenant(accountId, async (tx) => {
      await deleteRegistry(tx, registry)
      const message = `Removed the credential for the registry ${registry}`
      await recordActivity(tx, { accountId, actor, action: 'registry.credential-removed', subject: registry, message })
      return undefined
    }),
  )
}
