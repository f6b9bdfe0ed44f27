import {
  type DropletAction,
  IDLE_RESERVED_IP_USD_PER_MONTH,
  listDropletActions,
  listSnapshots,
  type NewDropletAction,
  problem,
  removeSnapshot,
  startDropletAction,
} from '@agentopia/api'
import { and, eq } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import { once } from '../../http/idempotency.ts'
import type { Mount } from '../../http/mount.ts'
import type { IdPrefix } from '../../new-id.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { activities } from '../../store/schema/index.ts'
import { whyBusy } from '../../toolboxes/busy.decision.ts'
import {
  findToolbox,
  getToolboxRow,
  lockToolbox,
  type ToolboxRow,
  toolboxNotFound,
} from '../../toolboxes/toolbox.store.ts'
import { actionViewOf, insertAction, listActionRows, titleOf } from './action.store.ts'
import type { Options } from './options.ts'
import type { Snapshots } from './snapshots.ts'

export interface ActionRouteDeps {
  readonly store: Store
  readonly newId: (prefix: IdPrefix) => string
  readonly options: Options
  readonly snapshots: Snapshots
  /** Wakes the reconciler of actions. */
  readonly wake: (actionId: string) => void
}

/** What people ask of droplets that there are: checked, written down and answered at once; a reconciler carries it out. */
export function actionRoutes(mount: Mount, { store, newId, options, snapshots, wake }: ActionRouteDeps): void {
  mount.reply(startDropletAction, async ({ params: { toolboxId }, body }, { caller, idempotencyKey }) => {
    const { accountId, actor } = caller
    const toolbox = await store.tenant(accountId, (tx) => withDroplet(tx, toolboxId))
    const note = await check(toolbox, body)
    const request = { toolboxId, body }
    const made = await store.tenant(accountId, (tx) =>
      once(tx, { accountId, key: idempotencyKey, operation: startDropletAction.id, request }, async () => {
        requireIdleIfHeard(await withDroplet(tx, toolboxId, lockToolbox))
        const row = await insertAction(tx, { id: newId('deed'), accountId, toolboxId, request: body, actor })
        const message = `${toolbox.name}: asked for ${titleOf(body)}${note}`
        await recordActivity(tx, { accountId, actor, action: 'droplet.asked', subject: toolboxId, toolboxId, message })
        return actionViewOf(row)
      }),
    )
    wake(made.id)
    return made
  })

  mount.reply(listDropletActions, ({ params: { toolboxId }, query: { limit, cursor } }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const { id } = await getToolboxRow(tx, toolboxId)
      const rows = await listActionRows(tx, id, limit + 1, cursor)
      const items: DropletAction[] = rows.slice(0, limit).map(actionViewOf)
      return { items, ...(rows.length > limit ? { nextCursor: items.at(-1)!.id } : {}) }
    }),
  )

  mount.reply(listSnapshots, async (_, { caller }) => ({ items: await snapshots.of(caller.accountId) }))

  mount.reply(removeSnapshot, async ({ params: { snapshotId } }, { caller }) => {
    const { accountId, actor } = caller
    const found = (await snapshots.of(accountId)).find(({ id }) => id === snapshotId)
    if (!found && (await store.tenant(accountId, (tx) => wasRemoved(tx, snapshotId)))) return undefined
    if (!found) throw problem('snapshot-not-ours', `No snapshot of this account has the number ${snapshotId}`)
    await snapshots.remove(accountId, found)
    const { name, toolboxId, toolboxName, monthlyUsd } = found
    const message = `Deleted the snapshot ${name} of ${toolboxName} (${snapshotId}), $${monthlyUsd} a month`
    await store.tenant(accountId, (tx) =>
      recordActivity(tx, { accountId, actor, action: 'snapshot.removed', subject: snapshotId, toolboxId, message }),
    )
    return undefined
  })

  /** What cannot be is refused before anything is written down. @returns what it costs, for the record. */
  async function check(toolbox: ToolboxRow, body: NewDropletAction): Promise<string> {
    const { accountId, id, name, placement } = toolbox
    switch (body.kind) {
      case 'resize': {
        const price = await options.resizeOf(accountId, placement, body.size)
        return `, $${price} a month instead of $${placement?.monthlyUsd ?? '?'}`
      }
      case 'rebuild':
        if (body.confirm !== name) throw notConfirmed(name)
        if (body.image && placement) await options.placementOf(accountId, { ...placement, image: body.image })
        return ''
      case 'snapshot': {
        const taken = (await snapshots.of(accountId)).some((one) => one.toolboxId === id && one.name === body.name)
        if (taken) throw problem('name-taken', `A snapshot of ${name} is called ${body.name}`)
        return ''
      }
      case 'assign_reserved_ip':
        return `, free while it leads to a droplet, else $${IDLE_RESERVED_IP_USD_PER_MONTH} a month`
      default:
        return ''
    }
  }
}

/** By somebody of this account: asked for again, it is done. */
async function wasRemoved(tx: Tx, snapshotId: string): Promise<boolean> {
  const removed = and(eq(activities.action, 'snapshot.removed'), eq(activities.subject, snapshotId))
  return (await tx.select({ id: activities.id }).from(activities).where(removed).limit(1)).length > 0
}

/** @throws {ProblemError} `toolbox-not-found`, `no-droplet`. */
async function withDroplet(tx: Tx, toolboxId: string, find = findToolbox): Promise<ToolboxRow> {
  const row = await find(tx, toolboxId)
  if (!row || row.deletedAt) throw toolboxNotFound(toolboxId)
  if (row.provider !== 'digitalocean') throw problem('no-droplet', `${row.name} is of the provider ${row.provider}`)
  if (row.doDropletId === null || row.desired === 'absent' || row.status === 'lost')
    throw problem('no-droplet', `${row.name} is ${row.status.replaceAll('_', ' ')}`)
  return row
}

/** One that is heard no more may be helped by just this: nothing holds it up then. @throws {ProblemError} `toolbox-busy` */
function requireIdleIfHeard(row: ToolboxRow): void {
  const why = row.status === 'active' ? whyBusy(row, undefined) : undefined
  if (why !== undefined) throw problem('toolbox-busy', why)
}

const notConfirmed = (name: string) => problem('not-confirmed', `The toolbox is called ${name}`)
