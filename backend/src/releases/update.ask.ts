import { problem } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { Tx } from '../store/connect.ts'
import type { UpdateAsked } from '../store/schema/toolboxes.ts'
import { askOf, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { redeploymentOf } from './redeploy.decision.ts'
import type { Newest } from './releases.ts'
import { releaseOf } from './update.view.ts'

export interface Asking {
  /** Who asks. */
  readonly actor: string
  /** Names the attempt. */
  readonly attempt: string
  readonly at: Date
  readonly newest: Newest
  /** The rollout that it belongs to. */
  readonly rollout?: string
}

/** Writes down that DTMA of this toolbox is to be updated. @returns `undefined` when there is nothing newer for it. */
export async function askIfOlder(tx: Tx, row: ToolboxRow, asking: Asking): Promise<ToolboxRow | undefined> {
  const version = releaseOf(row, asking.newest)?.newer
  if (version === undefined) return undefined
  const said = `Asked to update DTMA of ${row.name} from ${row.dtmaVersion} to ${version}`
  const { rollout } = asking
  return ask(tx, row, asking, { version, ...(rollout === undefined ? {} : { rollout }) }, ['toolbox.update', said])
}

/** Writes down that DTMA of this toolbox is to be updated. @throws {ProblemError} `nothing-to-update` */
export async function askForNewer(tx: Tx, row: ToolboxRow, asking: Asking): Promise<ToolboxRow> {
  const asked = await askIfOlder(tx, row, asking)
  if (!asked) throw problem('nothing-to-update', `${row.name} runs DTMA ${row.dtmaVersion ?? '(not heard yet)'}`)
  return asked
}

/** Writes down that DTMA of this toolbox is to be deployed anew: an update that the same version is good enough for. @throws {ProblemError} `not-redeployable` */
export async function askForAnother(tx: Tx, row: ToolboxRow, asking: Asking): Promise<ToolboxRow> {
  const redeployment = redeploymentOf(row, asking.newest)
  if ('refusal' in redeployment) throw problem('not-redeployable', redeployment.refusal)
  const { version, again } = redeployment
  const said = `Asked to deploy DTMA ${version} of ${row.name} anew`
  return ask(tx, row, asking, { version, ...(again ? { again } : {}) }, ['toolbox.redeploy', said])
}

async function ask(
  tx: Tx,
  { id, accountId }: ToolboxRow,
  { actor, attempt, at }: Asking,
  what: Omit<UpdateAsked, 'attempt' | 'askedAt'>,
  [action, message]: readonly [action: 'toolbox.update' | 'toolbox.redeploy', message: string],
): Promise<ToolboxRow> {
  const asked = await askOf(tx, id, { updateAsked: { ...what, attempt, askedAt: at.toISOString() } })
  await recordActivity(tx, { accountId, actor, action, subject: id, toolboxId: id, message })
  return asked
}
