import { problem, updateToolbox } from '@agentopia/api'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { notFound } from '../toolboxes/toolbox.routes.ts'
import { findToolbox } from '../toolboxes/toolbox.store.ts'
import type { ToolboxViews } from '../toolboxes/toolbox.views.ts'
import type { Newest } from './releases.ts'
import { askIfOlder } from './update.ask.ts'
import { isUnderWay } from './update.step.ts'

export interface UpdateRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly views: ToolboxViews
  /** @throws {ProblemError} `image-unavailable` */
  readonly newestNow: () => Promise<Newest>
  /** Names an attempt. */
  readonly newAttempt: () => string
  /** Wakes the reconciler of updates, so that nobody waits for the next resync. */
  readonly wake: (toolboxId: string) => void
}

/** People ask for DTMA to be updated: it is written down, and the reconciler sends the release. */
export function updateRoutes(
  mount: Mount,
  { store, clock, views, newestNow, newAttempt, wake }: UpdateRouteDeps,
): void {
  mount.reply(updateToolbox, async ({ params: { toolboxId } }, { caller }) => {
    const newest = await newestNow()
    const view = await store.tenant(caller.accountId, async (tx) => {
      const row = await findToolbox(tx, toolboxId)
      if (!row || row.deletedAt) throw notFound(toolboxId)
      const at = new Date(clock.now())
      const asking = { actor: caller.actor, attempt: newAttempt(), at, newest }
      const asked = isUnderWay(row) ? row : await askIfOlder(tx, row, asking)
      if (!asked) throw problem('nothing-to-update', `${row.name} runs DTMA ${row.dtmaVersion ?? '(not heard yet)'}`)
      return (await views(tx, [asked]))[0]!
    })
    wake(toolboxId)
    return view
  })
}
