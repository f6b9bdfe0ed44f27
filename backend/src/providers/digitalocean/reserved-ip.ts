import { and, eq, type SQL, sql } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import { again, type Outcome } from '../../reconcile/reconciler.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { dropletActions } from '../../store/schema/index.ts'
import type { ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError, isBusyDroplet } from './digitalocean-error.ts'
import { recordOf, writeDroplet } from './droplet.store.ts'
import { ADDRESS_PAUSE_MS, MOST_ADDRESS_TRIES, nextAddressStep } from './reserved-ip.step.ts'

/** What becomes of the reserved address of a droplet that goes: it is led to the next one, and given back when none follows, as one that leads nowhere costs money. */
export function reservedAddresses(store: Store) {
  /** Nothing more is done about it. @param kept Whether it is the toolbox's still. */
  const end = (row: ToolboxRow, held: SQL, kept: boolean, what: string, message: string) =>
    store.system(async (tx) => {
      const { addressTries: _, ...provisioning } = recordOf(row)
      const columns = { provisioning, ...(kept ? {} : { reservedIpAddress: null }) }
      if (await writeDroplet(tx, held, columns)) await tell(tx, row, what, message)
    })

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

    /** Lets it lead to the droplet, one look and at most one request a call. People are told how it ends. */
    async assign(
      row: ToolboxRow,
      dropletId: number,
      client: DigitalOcean,
      held: SQL,
      signal: AbortSignal,
    ): Promise<Outcome> {
      const { name, reservedIpAddress: ip } = row
      const record = recordOf(row)
      const tries = record.addressTries ?? 0
      const what = `The reserved address ${ip} of ${name}`
      try {
        const seen = (await client.reservedIps(signal)).find((one) => one.ip === ip)
        const leadsTo = seen?.droplet?.id
        const found = seen && { found: leadsTo === undefined ? {} : { leadsTo } }
        const next = nextAddressStep({ dropletId, tries, ...found })
        if (next.kind === 'assigned') {
          await end(row, held, true, 'assigned', `${what} leads to its droplet ${dropletId}`)
          return again(0)
        }
        if (next.kind === 'lost') {
          await end(row, held, false, 'lost', `${what} ${next.why}: it is not the address of ${name} any more`)
          return again(0)
        }
        if (next.kind === 'assign') await client.assignIp(ip!, dropletId, signal)
      } catch (error) {
        if (!(error instanceof DigitalOceanError) || error.kind === 'limited') throw error
        const mayBecome = error.kind === 'unknown' || isBusyDroplet(error)
        if (!mayBecome || tries + 1 >= MOST_ADDRESS_TRIES) {
          const todo = `Assign it to the droplet ${dropletId} at DigitalOcean; it is kept until the toolbox is removed`
          await end(row, held, true, 'kept', `${what} could not be assigned. ${error.message}. ${todo}`)
          return again(0)
        }
      }
      const tried = { ...record, addressTries: tries + 1 }
      await store.system((tx) => writeDroplet(tx, held, { provisioning: tried }))
      return again(ADDRESS_PAUSE_MS)
    },

    async giveBack(row: ToolboxRow, client: DigitalOcean, held: SQL, signal: AbortSignal): Promise<void> {
      const ip = row.reservedIpAddress
      if (ip === null) return
      await client.unassignIp(ip, signal)
      await client.releaseIp(ip, signal)
      await store.system(async (tx) => {
        if (!(await writeDroplet(tx, held, { reservedIpAddress: null }))) return
        await tell(tx, row, 'released', `Released the reserved address ${ip} of ${row.name}`)
      })
    },
  }
}

const tell = (tx: Tx, { id, accountId }: ToolboxRow, what: string, message: string) =>
  recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: `toolbox.address-${what}`,
    subject: id,
    toolboxId: id,
    message,
  })

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
