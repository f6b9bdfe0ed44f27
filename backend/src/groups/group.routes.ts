import { createGroup, getGroup, listGroups, ProblemError, problem, removeGroup, type ToolGroup } from '@agentopia/api'
import type { Catalog } from '../catalog/catalog.ts'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import { once } from '../http/idempotency.ts'
import type { Mount } from '../http/mount.ts'
import type { IdPrefix } from '../new-id.ts'
import type { Store, Tx } from '../store/connect.ts'
import { getStayingToolboxRow, getToolboxRow } from '../toolboxes/toolbox.store.ts'
import { deployInstance } from '../tools/instance.deploy.ts'
import {
  type InstanceRow,
  listToolboxInstances,
  takeOutOfToolbelts,
  toolbeltsHolding,
} from '../tools/instance.store.ts'
import { orderOf } from './group.order.ts'
import { type GroupRow, getGroupRow, insertGroup, listGroupRows, wantGroupAbsent } from './group.store.ts'
import { viewOf } from './group.view.ts'

export interface GroupRouteDeps {
  readonly store: Store
  readonly catalog: Catalog
  /** Wakes the group reconciler, so that nobody waits for the next resync. */
  readonly wake: (groupId: string) => void
  readonly newId: (prefix: IdPrefix) => string
}

export function groupRoutes(mount: Mount, { store, catalog, wake, newId }: GroupRouteDeps): void {
  mount.reply(listGroups, ({ params, query }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const toolbox = await getToolboxRow(tx, params.toolboxId)
      const instances = await listToolboxInstances(tx, toolbox.id)
      const rows = await listGroupRows(tx, toolbox.id, query.limit + 1, query.cursor)
      const items = rows.slice(0, query.limit).map((row) => viewOf(row, instances, toolbox))
      return { items, ...(rows.length > query.limit ? { nextCursor: items.at(-1)!.name } : {}) }
    }),
  )

  mount.reply(getGroup, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => seen(tx, await getGroupRow(tx, params.toolboxId, params.groupId))),
  )

  // All or none from the first moment on: what is wrong with one member is told before any of them is on record.
  mount.reply(createGroup, async ({ params, body }, { caller, idempotencyKey }) => {
    const { accountId } = caller
    const created = await store.tenant(accountId, (tx) =>
      once(tx, { accountId, key: idempotencyKey, operation: createGroup.id, request: { params, body } }, async () => {
        const { id: toolboxId } = await getStayingToolboxRow(tx, params.toolboxId)
        const there = await listToolboxInstances(tx, toolboxId)
        const idOf = new Map(there.filter(({ desired }) => desired !== 'absent').map(({ id, name }) => [name, id]))
        const taken = new Set(there.map(({ name }) => name))
        const ordered = orderOf(body.members, { isTaken: (name) => taken.has(name), isThere: (name) => idOf.has(name) })
        for (const { name } of ordered) idOf.set(name, newId('inst'))
        const members = ordered.map(({ name, toolId, dependsOn }) => ({
          instanceId: idOf.get(name)!,
          name,
          toolId,
          needs: [...new Set(dependsOn)].map((needed) => ({ instanceId: idOf.get(needed)!, name: needed })),
        }))
        const group = await insertGroup(tx, { id: newId('group'), accountId, toolboxId, name: body.name, members })
        for (const { name, toolId, config } of ordered)
          await deployInstance(tx, catalog, {
            id: idOf.get(name)!,
            accountId,
            toolboxId,
            toolId,
            name,
            config,
            groupId: group.id,
            begun: false,
          }).catch((error: unknown) => {
            throw ofMember(name, error)
          })
        const names = members.map(({ name }) => name).join(', ')
        await record(tx, caller, 'group.created', group, `Asked for the group ${group.name}: ${names}`)
        return seen(tx, group)
      }),
    )
    wake(created.id)
    return created
  })

  mount.reply(removeGroup, async ({ params: { toolboxId, groupId }, query }, { caller }) => {
    const removed = await store.tenant(caller.accountId, async (tx) => {
      const group = await getGroupRow(tx, toolboxId, groupId)
      for (const { instanceId, name } of group.members) {
        const holders = await toolbeltsHolding(tx, instanceId)
        if (holders > 0 && !query.force) throw problem('instance-in-use', `${name} is in ${holders} toolbelt(s)`)
        await takeOutOfToolbelts(tx, instanceId)
      }
      if (group.desired === 'absent') return seen(tx, group)
      await record(tx, caller, 'group.removed', group, `Asked to remove the group ${group.name} and its tools`)
      return seen(tx, await wantGroupAbsent(tx, group.id))
    })
    wake(groupId)
    return removed
  })
}

async function seen(tx: Tx, group: GroupRow): Promise<ToolGroup> {
  const rows: InstanceRow[] = await listToolboxInstances(tx, group.toolboxId)
  return viewOf(group, rows, await getToolboxRow(tx, group.toolboxId))
}

const record = (tx: Tx, { actor }: Caller, action: string, { accountId, id, toolboxId }: GroupRow, message: string) =>
  recordActivity(tx, { accountId, actor, action, subject: id, toolboxId, message })

/** Says which member has the wrong configuration: each line of the detail begins with its name. */
function ofMember(name: string, error: unknown): unknown {
  if (!(error instanceof ProblemError && error.code === 'invalid-config')) return error
  return problem('invalid-config', error.message.replace(/^/gm, `${name}.`), { cause: error })
}
