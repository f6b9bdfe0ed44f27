import { and, eq, type SQL, sql } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { dropletActions } from '../../store/schema/index.ts'
import type { ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import type { DigitalOcean } from './client.ts'
import { writeDroplet } from './droplet.store.ts'

/** What becomes of the reserved address of a droplet that goes: one that leads nowhere costs money. */
export function reservedAddresses(store: Store) {
  return {
    /** Before the droplet goes, because afterwards nothing tells that an address was this one's. */
    async note(
      row: ToolboxRow,
      dropletIds: readonly number[],
      client: DigitalOcean,
      held: SQL,
      signal: AbortSignal,
    ): Promise<void> {
      if (row.reservedIpAddress !== null || !(await store.system((tx) => wasAskedFor(tx, row.id)))) return
      const found = (await client.reservedIps(signal)).find(({ droplet }) => dropletIds.includes(droplet?.id ?? 0))
      if (found) await store.system((tx) => writeDroplet(tx, held, { reservedIpAddress: found.ip }))
    },

    async giveBack(row: ToolboxRow, client: DigitalOcean, held: SQL, signal: AbortSignal): Promise<void> {
      const ip = row.reservedIpAddress
      if (ip === null) return
      await client.unassignIp(ip, signal)
      await client.releaseIp(ip, signal)
      await store.system(async (tx) => {
        if (!(await writeDroplet(tx, held, { reservedIpAddress: null }))) return
        await recordActivity(tx, {
          accountId: row.accountId,
          actor: 'control plane',
          action: 'toolbox.address-released',
          subject: row.id,
          toolboxId: row.id,
          message: `Released the reserved address ${ip} of ${row.name}`,
        })
      })
    },
  }
}

/** Only then is the account looked through: not every token may. */
async function wasAskedFor(tx: Tx, toolboxId: string): Promise<boolean> {
  const asked = sql`${dropletActions.request}->>'kind' = 'assign_reserved_ip'`
  const [row] = await tx
    .select({ id: dropletActions.id })
    .from(dropletActions)
    .where(and(eq(dropletActions.toolboxId, toolboxId), asked))
    .limit(1)
  return row !== undefined
}
