import { and, eq, ne } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Clock } from '../../reconcile/clock.ts'
import { again, type Reconciler, settled } from '../../reconcile/reconciler.ts'
import { underLease } from '../../reconcile/under-lease.ts'
import type { Store } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import { endToolbox } from '../../toolboxes/provision.store.ts'
import { findToolbox, moveTo } from '../../toolboxes/toolbox.store.ts'

export interface JoinReconcilerDeps {
  readonly provider: 'join' | 'ssh'
  readonly store: Store
  readonly clock: Clock
  /** Identifier of this replica's process. */
  readonly owner: string
  /** Closes the tunnel of a toolbox whose credentials are void. */
  readonly disconnect: (toolboxId: string) => void
}

const SOON_MS = 1_000

/** Servers that joined are their owners': all there is to do is to let them go when that is asked for. */
export function joinReconciler({ provider, store, clock, owner, disconnect }: JoinReconcilerDeps): Reconciler {
  return {
    name: provider,

    list: () =>
      store.system(async (tx) => {
        const leaving = and(
          eq(toolboxes.provider, provider),
          eq(toolboxes.desired, 'absent'),
          ne(toolboxes.status, 'deprovisioned'),
        )
        return (await tx.select({ id: toolboxes.id }).from(toolboxes).where(leaving)).map(({ id }) => id)
      }),

    reconcile: (id) =>
      underLease({ store, table: toolboxes, id, owner }, async (held) => {
        const ended = await store.system(async (tx) => {
          const row = await findToolbox(tx, id)
          if (row?.provider !== provider || row.desired !== 'absent' || row.status === 'deprovisioned') return 'none'
          const now = new Date(clock.now())
          await moveTo(tx, id, { to: 'pending_deprovision', now, when: held })
          await moveTo(tx, id, { to: 'deprovisioning', now, when: held })
          if (!(await endToolbox(tx, row, now, held))) return 'lease lost'
          const message = `${row.name} is no toolbox any more; the line that uninstalls DTMA cleans the server`
          const { accountId } = row
          await recordActivity(tx, {
            accountId,
            actor: 'control plane',
            action: 'toolbox.deprovisioned',
            subject: id,
            toolboxId: id,
            message,
          })
          return 'ended'
        })
        if (ended === 'ended') disconnect(id)
        return ended === 'lease lost' ? again(SOON_MS) : settled
      }),
  }
}
