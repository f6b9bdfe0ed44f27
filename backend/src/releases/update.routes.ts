import { redeployToolbox, type Toolbox, updateToolbox } from '@agentopia/api'
import type { Caller } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { requireIdle } from '../toolboxes/require-idle.ts'
import { lockToolbox, toolboxNotFound } from '../toolboxes/toolbox.store.ts'
import type { ToolboxViews } from '../toolboxes/toolbox.views.ts'
import type { Newest } from './releases.ts'
import { askForAnother, askForNewer } from './update.ask.ts'
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

/** People ask for DTMA to be updated, or deployed anew: it is written down, and the reconciler sends the release. */
export function updateRoutes(mount: Mount, deps: UpdateRouteDeps): void {
  const { store, clock, views, newestNow, newAttempt, wake } = deps

  /** Who asks while an attempt is under way gets that one. */
  async function asked(toolboxId: string, { accountId, actor }: Caller, ask: typeof askForNewer): Promise<Toolbox> {
    const newest = await newestNow()
    const view = await store.tenant(accountId, async (tx) => {
      const row = await lockToolbox(tx, toolboxId)
      if (!row) throw toolboxNotFound(toolboxId)
      if (isUnderWay(row)) return (await views(tx, [row]))[0]!
      await requireIdle(tx, row)
      const asking = { actor, attempt: newAttempt(), at: new Date(clock.now()), newest }
      return (await views(tx, [await ask(tx, row, asking)]))[0]!
    })
    wake(toolboxId)
    return view
  }

  mount.reply(updateToolbox, ({ params: { toolboxId } }, { caller }) => asked(toolboxId, caller, askForNewer))
  mount.reply(redeployToolbox, ({ params: { toolboxId } }, { caller }) => asked(toolboxId, caller, askForAnother))
}
