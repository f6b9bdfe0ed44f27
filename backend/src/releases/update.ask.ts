import { recordActivity } from '../events/activity.store.ts'
import type { Tx } from '../store/connect.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { Newest } from './releases.ts'
import { askForUpdate } from './update.store.ts'
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
export async function askIfOlder(
  tx: Tx,
  row: ToolboxRow,
  { actor, attempt, at, newest, rollout }: Asking,
): Promise<ToolboxRow | undefined> {
  const version = releaseOf(row, newest)?.newer
  if (version === undefined) return undefined
  const { id, accountId, name } = row
  const asked = await askForUpdate(tx, id, {
    attempt,
    version,
    askedAt: at.toISOString(),
    ...(rollout === undefined ? {} : { rollout }),
  })
  const message = `Asked to update DTMA of ${name} from ${row.dtmaVersion} to ${version}`
  await recordActivity(tx, { accountId, actor, action: 'toolbox.update', subject: id, toolboxId: id, message })
  return asked
}
