import type { Provider } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { type Reconciler, settled } from '../reconcile/reconciler.ts'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { ToolboxRow } from './toolbox.store.ts'

/** Whether a reconciler may have anything to do about it: servers that joined are their owners', until they are let go. */
export const hasSteps = ({ provider, desired }: Pick<ToolboxRow, 'provider' | 'desired'>): boolean =>
  desired === 'absent' || (provider !== 'join' && provider !== 'ssh')

/**
 * One reconciler for all toolboxes: each is handed to that of its provider. In one loop, because a loop never works on a
 * key twice at once, and two loops of one process would take the lease of a row from each other.
 */
export function byProvider(store: Store, reconcilers: Readonly<Partial<Record<Provider, Reconciler>>>): Reconciler {
  return {
    name: 'toolbox',
    list: async (signal) =>
      (await Promise.all(Object.values(reconcilers).map((reconciler) => reconciler.list(signal)))).flat(),
    async reconcile(id, signal) {
      const [row] = await store.system((tx) =>
        tx.select({ provider: toolboxes.provider }).from(toolboxes).where(eq(toolboxes.id, id)),
      )
      const reconciler = row && reconcilers[row.provider]
      return reconciler ? reconciler.reconcile(id, signal) : settled
    },
  }
}
