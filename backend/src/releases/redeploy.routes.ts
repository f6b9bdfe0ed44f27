import { problem, redeployToolbox } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { Mount } from '../http/mount.ts'
import type { Tx } from '../store/connect.ts'
import { notFound } from '../toolboxes/toolbox.routes.ts'
import { findToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { redeploymentOf } from './redeploy.decision.ts'
import type { Asking } from './update.ask.ts'
import type { UpdateRouteDeps } from './update.routes.ts'
import { isUnderWay } from './update.step.ts'
import { askForUpdate } from './update.store.ts'

/** People ask for DTMA to be deployed anew: an update that the same version is good enough for. */
export function redeployRoutes(
  mount: Mount,
  { store, clock, views, newestNow, newAttempt, wake }: UpdateRouteDeps,
): void {
  mount.reply(redeployToolbox, async ({ params: { toolboxId } }, { caller }) => {
    const newest = await newestNow()
    const view = await store.tenant(caller.accountId, async (tx) => {
      const row = await findToolbox(tx, toolboxId)
      if (!row || row.deletedAt) throw notFound(toolboxId)
      const at = new Date(clock.now())
      const asking = { actor: caller.actor, attempt: newAttempt(), at, newest }
      return (await views(tx, [isUnderWay(row) ? row : await ask(tx, row, asking)]))[0]!
    })
    wake(toolboxId)
    return view
  })
}

/** @throws {ProblemError} `not-redeployable` */
async function ask(tx: Tx, row: ToolboxRow, { actor, attempt, at, newest }: Asking): Promise<ToolboxRow> {
  const redeployment = redeploymentOf(row, newest)
  if ('refusal' in redeployment) throw problem('not-redeployable', redeployment.refusal)
  const { version, again } = redeployment
  const { id, accountId, name } = row
  const asked = { attempt, version, askedAt: at.toISOString(), ...(again ? { again } : {}) }
  const after = await askForUpdate(tx, id, asked)
  const message = `Asked to deploy DTMA ${version} of ${name} anew`
  await recordActivity(tx, { accountId, actor, action: 'toolbox.redeploy', subject: id, toolboxId: id, message })
  return after
}
