import { and, eq, type SQL } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Tx } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import { moveTo, type ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import { lost } from './droplet-words.ts'

/** Shows that the droplet of the row is gone, and tells it once; not of a toolbox that has another one by now. @param when A further condition on the row. */
export async function markLost(tx: Tx, row: ToolboxRow, now: Date, when?: SQL): Promise<void> {
  const { id, accountId, name, doDropletId } = row
  if (doDropletId === null) return
  const same = and(eq(toolboxes.doDropletId, doDropletId), when)!
  if (!(await moveTo(tx, id, { to: 'lost', reason: lost(row), now, when: same }))) return
  await recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: 'toolbox.lost',
    subject: id,
    toolboxId: id,
    message: `${name}: ${lost(row)}`,
  })
}
