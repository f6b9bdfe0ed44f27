import { and, eq, isNotNull, ne } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { ToolboxRow } from './toolbox.store.ts'

/** The machine has another address than was known: shown from now on, and on record once. */
export async function noteAddress(
  tx: Tx,
  { id, accountId, name, publicIpAddress, direct }: ToolboxRow,
  address: string,
) {
  const other = and(eq(toolboxes.id, id), isNotNull(toolboxes.publicIpAddress), ne(toolboxes.publicIpAddress, address))
  const [moved] = await tx.update(toolboxes).set({ publicIpAddress: address }).where(other).returning()
  if (!moved) return
  await recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: 'toolbox.moved',
    subject: id,
    toolboxId: id,
    message: `The address of ${name} is ${address} now; it was ${publicIpAddress}. ${direct ? 'It is dialled there' : 'Nothing is to be done: DTMA dials out'}`,
  })
}
