import {
  deployTool,
  getInstance,
  listCapabilities,
  listInstances,
  problem,
  removeInstance,
  restartInstance,
  startInstance,
  stopInstance,
  type ToolInstance,
  updateInstance,
} from '@agentopia/api'
import type { Catalog } from '../catalog/catalog.ts'
import { parseConfigValues } from '../catalog/recipe.ts'
import { findRecipe, recipeOf } from '../catalog/recipe-of.ts'
import { recordActivity } from '../events/activity.store.ts'
import { assertChangeable } from '../groups/group.store.ts'
import type { Caller } from '../http/caller.ts'
import { once } from '../http/idempotency.ts'
import type { Mount, RequestContext } from '../http/mount.ts'
import type { IdPrefix } from '../new-id.ts'
import type { Store, Tx } from '../store/connect.ts'
import { getStayingToolboxRow, getToolboxRow, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { deployInstance } from './instance.deploy.ts'
import {
  changeInstance,
  getInstanceRow,
  type InstanceRow,
  listInstanceRows,
  takeOutOfToolbelts,
  toolbeltsHolding,
} from './instance.store.ts'
import { viewOf } from './instance.view.ts'
import { countOffered, offerOfInstance } from './offer.store.ts'

export interface InstanceRouteDeps {
  readonly store: Store
  readonly catalog: Catalog
  /** Wakes the instance reconciler, so that nobody waits for the next resync. */
  readonly wake: (instanceId: string) => void
  readonly newId: (prefix: IdPrefix) => string
}

type Place = { readonly toolboxId: string; readonly instanceId: string }

export function instanceRoutes(mount: Mount, { store, catalog, wake, newId }: InstanceRouteDeps): void {
  mount.reply(listInstances, ({ params, query }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const toolbox = await getToolboxRow(tx, params.toolboxId)
      const rows = await listInstanceRows(tx, toolbox.id, query.limit + 1, query.cursor)
      const items = await viewsOf(tx, rows.slice(0, query.limit), toolbox)
      return { items, ...(rows.length > query.limit ? { nextCursor: items.at(-1)!.name } : {}) }
    }),
  )

  mount.reply(getInstance, ({ params }, { caller }) => store.tenant(caller.accountId, (tx) => read(tx, params)))

  mount.reply(deployTool, async ({ params, body }, { caller, idempotencyKey }) => {
    const { accountId } = caller
    const deployed = await store.tenant(accountId, (tx) =>
      once(tx, { accountId, key: idempotencyKey, operation: deployTool.id, request: { params, body } }, async () => {
        const toolbox = await getStayingToolboxRow(tx, params.toolboxId)
        const place = { id: newId('inst'), accountId, toolboxId: toolbox.id }
        const { row, title } = await deployInstance(tx, catalog, { ...place, ...body })
        await record(tx, caller, 'instance.deployed', row, `Deployed ${title} as ${row.name}`)
        return viewOf(row, toolbox)
      }),
    )
    wake(deployed.id)
    return deployed
  })

  mount.reply(updateInstance, ({ params, body }, context) =>
    change(params, context, 'instance.updated', 'Changed the configuration', (tx, row) =>
      changeInstance(tx, row.id, { config: parseConfigValues(recipeOf(catalog, row).config, body.config) }),
    ),
  )

  mount.reply(startInstance, ({ params }, context) =>
    change(params, context, 'instance.started', 'Asked to start', (tx, row) =>
      row.desired === 'running' ? row : changeInstance(tx, row.id, { desired: 'running' }),
    ),
  )

  mount.reply(stopInstance, ({ params }, context) =>
    change(params, context, 'instance.stopped', 'Asked to stop', (tx, row) =>
      row.desired === 'stopped' ? row : changeInstance(tx, row.id, { desired: 'stopped' }),
    ),
  )

  // A new generation of the same spec is a new container: a restart that can be repeated and survives a lost reply.
  mount.reply(restartInstance, ({ params }, context) =>
    change(params, context, 'instance.restarted', 'Asked to restart', (tx, row) =>
      changeInstance(tx, row.id, { desired: 'running' }),
    ),
  )

  mount.reply(removeInstance, ({ params, query }, context) =>
    change(params, context, 'instance.removed', 'Asked to remove', async (tx, row) => {
      const holders = await toolbeltsHolding(tx, row.id)
      if (holders > 0 && !query.force) throw problem('instance-in-use', `${row.name} is in ${holders} toolbelt(s)`)
      await takeOutOfToolbelts(tx, row.id)
      return row.desired === 'absent' ? row : changeInstance(tx, row.id, { desired: 'absent' })
    }),
  )

  mount.reply(listCapabilities, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const row = await getInstanceRow(tx, params.toolboxId, params.instanceId)
      return {
        perAgent: (findRecipe(catalog, row)?.secrets ?? []).length > 0,
        capabilities: await offerOfInstance(tx, row),
        ...(row.capabilityDigest ? { digest: row.capabilityDigest } : {}),
      }
    }),
  )

  async function read(tx: Tx, { toolboxId, instanceId }: Place): Promise<ToolInstance> {
    return shown(tx, await getInstanceRow(tx, toolboxId, instanceId), await getToolboxRow(tx, toolboxId))
  }

  /** Changes one row, records who did it, wakes the reconciler and returns what people see of it now. */
  async function change(
    { toolboxId, instanceId }: Place,
    { caller }: RequestContext,
    action: string,
    message: string,
    act: (tx: Tx, row: InstanceRow) => InstanceRow | Promise<InstanceRow>,
  ): Promise<ToolInstance> {
    const removes = action === 'instance.removed'
    const changed = await store.tenant(caller.accountId, async (tx) => {
      const before = await getInstanceRow(tx, toolboxId, instanceId)
      const toolbox = await (removes ? getToolboxRow : getStayingToolboxRow)(tx, toolboxId)
      if (before.desired === 'absent' && !removes)
        throw problem('instance-not-found', `${before.name} is being removed`)
      await assertChangeable(tx, before, removes)
      const after = await act(tx, before)
      if (after !== before) await record(tx, caller, action, after, `${message}: ${after.name}`)
      return shown(tx, after, toolbox)
    })
    wake(instanceId)
    return changed
  }
}

async function viewsOf(tx: Tx, rows: readonly InstanceRow[], toolbox: ToolboxRow): Promise<ToolInstance[]> {
  const counts = await countOffered(tx, rows)
  return rows.map((row) => viewOf(row, toolbox, counts.get(row.id)))
}

const shown = async (tx: Tx, row: InstanceRow, toolbox: ToolboxRow): Promise<ToolInstance> =>
  (await viewsOf(tx, [row], toolbox))[0]!

const record = (tx: Tx, caller: Caller, action: string, row: InstanceRow, message: string) =>
  recordActivity(tx, {
    accountId: row.accountId,
    actor: caller.actor,
    action,
    subject: row.id,
    toolboxId: row.toolboxId,
    message,
  })
