import { and, eq, inArray, isNotNull, ne, type SQL } from 'drizzle-orm'
import type { Tx } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import type { ProvisioningRecord } from '../../store/schema/toolboxes.ts'
import type { ToolboxRow } from '../../toolboxes/toolbox.store.ts'

const FRESH: ProvisioningRecord = { retry: 0, attempts: 0, emptyLooks: 0 }

export const recordOf = (row: Pick<ToolboxRow, 'provisioning'>): ProvisioningRecord => row.provisioning ?? FRESH

export interface DropletColumns {
  readonly provisioning?: ProvisioningRecord
  readonly doDropletId?: number | null
  readonly publicIpAddress?: string | null
  readonly reservedIpAddress?: string | null
  readonly boot?: null
}

/** Writes what was done. @returns false when the lease was lost meanwhile: nothing was written then. */
export async function writeDroplet(tx: Tx, held: SQL, columns: DropletColumns): Promise<boolean> {
  const written = await tx.update(toolboxes).set(columns).where(held).returning({ id: toolboxes.id })
  return written.length === 1
}

/** Those that may need a step. */
export async function listDropletToolboxes(tx: Tx): Promise<string[]> {
  const ours = and(eq(toolboxes.provider, 'digitalocean'), ne(toolboxes.status, 'deprovisioned'))
  return (await tx.select({ id: toolboxes.id }).from(toolboxes).where(ours)).map(({ id }) => id)
}

/** Of one account: those that are made, that nobody lets go, and whose droplet no reconciler looks at. */
export const listSteadyToolboxes = (tx: Tx, accountId: string): Promise<ToolboxRow[]> =>
  tx
    .select()
    .from(toolboxes)
    .where(
      and(
        eq(toolboxes.accountId, accountId),
        eq(toolboxes.provider, 'digitalocean'),
        eq(toolboxes.desired, 'present'),
        inArray(toolboxes.status, ['active', 'unresponsive', 'quarantined', 'error_provisioning']),
        isNotNull(toolboxes.doDropletId),
      ),
    )

/** What the sweep knows of the toolboxes that droplets say to belong to. */
export const findOwners = (tx: Tx, accountId: string, ids: readonly string[]) =>
  ids.length === 0
    ? Promise.resolve([])
    : tx
        .select({ id: toolboxes.id, status: toolboxes.status, doDropletId: toolboxes.doDropletId })
        .from(toolboxes)
        .where(and(eq(toolboxes.accountId, accountId), inArray(toolboxes.id, [...ids])))
