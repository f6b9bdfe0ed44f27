import { and, eq, sql } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import { noteAddress } from '../../toolboxes/note-address.ts'
import { restate, type ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import { addressOf, type Droplet } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { markLost } from './droplet.lost.ts'
import { listSteadyToolboxes, recordOf } from './droplet.store.ts'
import { poweredOff } from './droplet-words.ts'

/** What one toolbox is told by a look at the droplets of the account. */
type Finding =
  | { readonly kind: 'as-known' }
  /** Not in the list, for the first time: lists lag. */
  | { readonly kind: 'missing' }
  /** Not in the list again. */
  | { readonly kind: 'missing-still' }
  | { readonly kind: 'off' }
  | { readonly kind: 'moved'; readonly address: string }

type Known = Pick<ToolboxRow, 'status' | 'doDropletId' | 'publicIpAddress' | 'provisioning'>

/** Decides; touches nothing. @param droplets Every one with the tag of this environment. */
function findingOf(known: Known, droplets: readonly Droplet[]): Finding {
  const droplet = droplets.find(({ id }) => id === known.doDropletId)
  if (!droplet) return recordOf(known).missingSince ? { kind: 'missing-still' } : { kind: 'missing' }
  const address = addressOf(droplet)
  if (address !== undefined && address !== known.publicIpAddress) return { kind: 'moved', address }
  return droplet.status === 'off' && known.status === 'unresponsive' ? { kind: 'off' } : { kind: 'as-known' }
}

/**
 * Compares the toolboxes of an account with its droplets: one that was destroyed by hand is told as lost after two looks, one that
 * was powered off as off. Nothing is made again by itself: what a person did, a person undoes.
 */
export async function watchDroplets(
  store: Store,
  account: { readonly accountId: string; readonly client: DigitalOcean; readonly now: Date },
  droplets: readonly Droplet[],
  signal: AbortSignal,
): Promise<void> {
  const { accountId, client, now } = account
  for (const row of await store.system((tx) => listSteadyToolboxes(tx, accountId))) {
    const finding = findingOf(row, droplets)
    // A list may lag; asked for itself, a droplet is there or not.
    const gone = finding.kind === 'missing-still' && (await client.droplet(row.doDropletId!, signal)) === undefined
    await store.system((tx) => tellFinding(tx, row, gone ? { kind: 'gone' } : finding, now))
  }
}

async function tellFinding(tx: Tx, row: ToolboxRow, finding: Finding | { readonly kind: 'gone' }, now: Date) {
  const record = recordOf(row)
  // Nothing else of the record is touched, and not that of another droplet: its reconciler may be at it.
  const remember = (missingSince: string | undefined) => {
    const kept = sql`coalesce(${toolboxes.provisioning}, ${JSON.stringify(record)}::jsonb) - 'missingSince'`
    const provisioning = missingSince ? sql`${kept} || ${JSON.stringify({ missingSince })}::jsonb` : kept
    const same = and(eq(toolboxes.id, row.id), eq(toolboxes.doDropletId, row.doDropletId!))
    return tx.update(toolboxes).set({ provisioning }).where(same)
  }
  if (finding.kind === 'missing') return remember(now.toISOString())
  if (finding.kind === 'gone') return markLost(tx, row, now)
  if (record.missingSince && finding.kind !== 'missing-still') await remember(undefined)
  if (finding.kind === 'off') {
    const told = row.statusReason === poweredOff(row)
    await restate(tx, row.id, 'unresponsive', poweredOff(row))
    if (!told) await tell(tx, row, 'toolbox.powered-off', `${row.name}: ${poweredOff(row)}`)
  }
  if (finding.kind === 'moved') await noteAddress(tx, row, finding.address)
}

const tell = (tx: Tx, { id, accountId }: ToolboxRow, action: string, message: string) =>
  recordActivity(tx, { accountId, actor: 'control plane', action, subject: id, toolboxId: id, message })
