import { problem, updateToolbox, updateToolboxes } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { notFound } from '../toolboxes/toolbox.routes.ts'
import { findToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { ToolboxViews } from '../toolboxes/toolbox.views.ts'
import type { Newest, Releases } from './releases.ts'
import { isUnderWay } from './update.step.ts'
import { askForUpdate, listPresent } from './update.store.ts'
import { releaseOf } from './update.view.ts'

export interface UpdateRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly views: ToolboxViews
  readonly releases: Pick<Releases, 'look'>
  /** Names an attempt. */
  readonly newAttempt: () => string
  /** Wakes the reconciler of updates, so that nobody waits for the next resync. */
  readonly wake: (toolboxId: string) => void
}

const LOOK_MS = 10_000

/** People ask for DTMA to be updated: it is written down, and the reconciler sends the release. */
export function updateRoutes(mount: Mount, { store, clock, views, releases, newAttempt, wake }: UpdateRouteDeps): void {
  mount.reply(updateToolbox, async ({ params: { toolboxId } }, { caller }) => {
    const newest = await newestNow()
    const view = await store.tenant(caller.accountId, async (tx) => {
      const row = await findToolbox(tx, toolboxId)
      if (!row || row.deletedAt) throw notFound(toolboxId)
      const asked = isUnderWay(row) ? row : await ask(tx, caller, row, newest)
      if (!asked) throw problem('nothing-to-update', `${row.name} runs DTMA ${row.dtmaVersion ?? '(not heard yet)'}`)
      return (await views(tx, [asked]))[0]!
    })
    wake(toolboxId)
    return view
  })

  mount.reply(updateToolboxes, async (_, { caller }) => {
    const newest = await newestNow()
    const asked = await store.tenant(caller.accountId, async (tx) => {
      const rows: ToolboxRow[] = []
      for (const row of await listPresent(tx)) {
        const changed = isUnderWay(row) ? undefined : await ask(tx, caller, row, newest)
        if (changed) rows.push(changed)
      }
      return views(tx, rows)
    })
    for (const { id } of asked) wake(id)
    return { items: asked }
  })

  const newestNow = () =>
    releases.look(AbortSignal.timeout(LOOK_MS)).catch((cause: unknown) => {
      throw problem('image-unavailable', 'Docker does not say which version of DTMA there is', { cause })
    })

  /** @returns `undefined` when there is nothing newer for it. */
  async function ask(tx: Tx, { actor }: Caller, row: ToolboxRow, newest: Newest): Promise<ToolboxRow | undefined> {
    const version = releaseOf(row, newest)?.newer
    if (version === undefined) return undefined
    const { id, accountId, name } = row
    const askedAt = new Date(clock.now()).toISOString()
    const asked = await askForUpdate(tx, id, { attempt: newAttempt(), version, askedAt })
    const message = `Asked to update DTMA of ${name} from ${row.dtmaVersion} to ${version}`
    await recordActivity(tx, { accountId, actor, action: 'toolbox.update', subject: id, toolboxId: id, message })
    return asked
  }
}
