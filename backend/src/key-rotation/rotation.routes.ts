import { problem, rotateToolboxKeys } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { requireIdle } from '../toolboxes/require-idle.ts'
import { askOf, lockToolbox, toolboxNotFound } from '../toolboxes/toolbox.store.ts'
import type { ToolboxViews } from '../toolboxes/toolbox.views.ts'
import { nextStep } from './rotation.step.ts'

export interface RotationRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly views: ToolboxViews
  /** Names an attempt. */
  readonly newAttempt: () => string
  /** Wakes the reconciler of rotations, so that nobody waits for the next resync. */
  readonly wake: (toolboxId: string) => void
}

/** People ask for other keys of a toolbox: it is written down, and the reconciler hands DTMA a token. */
export function rotationRoutes(mount: Mount, { store, clock, views, newAttempt, wake }: RotationRouteDeps): void {
  mount.reply(rotateToolboxKeys, async ({ params: { toolboxId } }, { caller }) => {
    const view = await store.tenant(caller.accountId, async (tx) => {
      const row = await lockToolbox(tx, toolboxId)
      if (!row) throw toolboxNotFound(toolboxId)
      if (row.desired === 'absent' || row.backendToDtmaApiKey === null)
        throw problem('no-keys', `${row.name} is ${row.status.replaceAll('_', ' ')}`)
      if (nextStep(row) === 'send') return (await views(tx, [row]))[0]!
      await requireIdle(tx, row)
      const { id, accountId, name, enrolEpoch: epoch } = row
      const askedAt = new Date(clock.now()).toISOString()
      const asked = await askOf(tx, id, { keyRotationAsked: { attempt: newAttempt(), epoch, askedAt } })
      const message = `Asked for other keys of ${name}`
      const { actor } = caller
      await recordActivity(tx, { accountId, actor, action: 'toolbox.rotate-keys', subject: id, toolboxId: id, message })
      return (await views(tx, [asked]))[0]!
    })
    wake(toolboxId)
    return view
  })
}
