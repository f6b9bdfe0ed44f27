import {
  addToolbeltItem,
  approveCapabilities,
  listToolbelt,
  listToolbeltCapabilities,
  problem,
  removeToolbeltItem,
  type ToolbeltItem,
  updateToolbeltItem,
} from '@agentopia/api'
import { eq } from 'drizzle-orm'
import type { Catalog } from '../catalog/catalog.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import { wantAgentTool } from '../credentials/agent-tool.store.ts'
import { isComplete } from '../credentials/credential.values.ts'
import { readDataFlow } from '../data-flow/flow.store.ts'
import { recordActivity } from '../events/activity.store.ts'
import { cleanText } from '../gateway/clean-text.ts'
import type { Caller } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { IdPrefix } from '../new-id.ts'
import type { Store, Tx } from '../store/connect.ts'
import { instances } from '../store/schema/index.ts'
import { getStayingToolboxRow } from '../toolboxes/toolbox.store.ts'
import { approve } from '../tools/pin.store.ts'
import { type AgentRow, getAgentRow, hasAccess } from './agent.store.ts'
import { type ChangedForCallsDeps, changedForCalls } from './changed-for-calls.ts'
import { warningsAfter } from './flow-warnings.ts'
import {
  deleteToolbeltItem,
  getToolbeltOffer,
  getToolbeltView,
  insertToolbeltItem,
  listToolbeltViews,
  setAllowed,
  setAsked,
  setSwitches,
} from './toolbelt.store.ts'

export interface ToolbeltRouteDeps extends ChangedForCallsDeps {
  readonly store: Store
  readonly catalog: Catalog
  readonly newId: (prefix: IdPrefix) => string
}

export function toolbeltRoutes(mount: Mount, { store, catalog, newId, forget }: ToolbeltRouteDeps): void {
  const change = changedForCalls({ store, forget })

  mount.reply(listToolbelt, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => ({
      items: await listToolbeltViews(tx, (await getAgentRow(tx, params.agentId)).id),
    })),
  )

  mount.reply(listToolbeltCapabilities, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) =>
      getToolbeltOffer(tx, (await getAgentRow(tx, params.agentId)).id, params.toolbeltItemId),
    ),
  )

  mount.reply(addToolbeltItem, ({ params, body }, { caller }) =>
    change(caller, async (tx) => {
      const agent = await getAgentRow(tx, params.agentId)
      const flow = await readDataFlow(tx, agent.id, catalog)
      const [instance] = await tx.select().from(instances).where(eq(instances.id, body.instanceId))
      if (!instance || instance.desired === 'absent')
        throw problem('instance-not-found', `No tool instance has the id ${body.instanceId}`)
      await getStayingToolboxRow(tx, instance.toolboxId)
      if (!(await hasAccess(tx, agent.id, instance.toolboxId)))
        throw problem('toolbox-access-missing', `${agent.name} may not use the toolbox of ${instance.name}`)
      const id = newId('belt')
      await insertToolbeltItem(
        tx,
        { id, accountId: agent.accountId, agentId: agent.id, instanceId: instance.id },
        instance.name,
      )
      await setAllowed(tx, agent.accountId, id, body.allow)
      // Its own container is asked at once what it offers, where no secret has to be given before.
      const secrets = findRecipe(catalog, instance)?.secrets ?? []
      if (secrets.length > 0 && isComplete(secrets, undefined))
        await wantAgentTool(tx, { ...instance, instanceId: instance.id, agentId: agent.id })
      await record(
        tx,
        caller,
        'toolbelt.added',
        agent,
        `Put ${instance.name} into the toolbelt of ${agent.name}, ${capabilities(body.allow.length)} allowed`,
      )
      const warnings = await warningsAfter(tx, caller, agent, flow, catalog)
      return { ...(await getToolbeltView(tx, agent.id, id)), warnings }
    }),
  )

  mount.reply(updateToolbeltItem, ({ params, body: { allow, ask, ...switches } }, { caller }) =>
    change(caller, async (tx) => {
      const agent = await getAgentRow(tx, params.agentId)
      const before = await getToolbeltView(tx, agent.id, params.toolbeltItemId)
      const flow = await readDataFlow(tx, agent.id, catalog)
      await setSwitches(tx, agent.id, before.id, given(switches))
      const allowedBefore = before.permissions.filter((one) => one.allowed).map((one) => one.capability)
      if (allow ?? ask) await setAllowed(tx, agent.accountId, before.id, [...(allow ?? allowedBefore), ...(ask ?? [])])
      if (ask) await setAsked(tx, before.id, ask)
      const after = await getToolbeltView(tx, agent.id, before.id)
      const allowed = after.permissions.filter((permission) => permission.allowed).length
      const asked = after.permissions.filter((permission) => permission.ask).length
      await record(
        tx,
        caller,
        'toolbelt.changed',
        agent,
        `${before.instanceName} of ${agent.name}: ${sentenceOf(after)}, ${capabilities(allowed)} allowed${asked === 0 ? '' : `, ${asked} of them asked for each time`}`,
      )
      return { ...after, warnings: await warningsAfter(tx, caller, agent, flow, catalog) }
    }),
  )

  mount.reply(approveCapabilities, ({ params, body }, { caller }) =>
    change(caller, async (tx) => {
      const agent = await getAgentRow(tx, params.agentId)
      const { id, instanceName } = await getToolbeltView(tx, agent.id, params.toolbeltItemId)
      const flow = await readDataFlow(tx, agent.id, catalog)
      for (const { capability, digest } of body.approve) await approve(tx, id, capability, digest)
      const names = body.approve.map(({ capability }) => cleanText(capability)).join(', ')
      await record(
        tx,
        caller,
        'toolbelt.approved',
        agent,
        `Approved for ${agent.name} how ${instanceName} describes now: ${names}`,
      )
      const warnings = await warningsAfter(tx, caller, agent, flow, catalog)
      return { ...(await getToolbeltView(tx, agent.id, id)), warnings }
    }),
  )

  mount.reply(removeToolbeltItem, ({ params }, { caller }) =>
    change(caller, async (tx) => {
      const agent = await getAgentRow(tx, params.agentId)
      const { id, instanceName } = await getToolbeltView(tx, agent.id, params.toolbeltItemId)
      await deleteToolbeltItem(tx, id)
      await record(tx, caller, 'toolbelt.removed', agent, `Took ${instanceName} out of the toolbelt of ${agent.name}`)
      return undefined
    }),
  )
}

const record = (tx: Tx, caller: Caller, action: string, agent: AgentRow, message: string) =>
  recordActivity(tx, { accountId: agent.accountId, actor: caller.actor, action, subject: agent.id, message })

const capabilities = (count: number): string => (count === 1 ? '1 capability' : `${count} capabilities`)

/** Without what is `undefined`. */
const given = <Given extends object>(values: Given) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Given]?: Exclude<Given[Key], undefined>
  }

const sentenceOf = ({ enabled, prompts, resources, plainNames }: ToolbeltItem): string =>
  [
    enabled ? 'on' : 'off',
    ...(prompts ? ['prompts allowed'] : []),
    ...(resources ? ['resources allowed'] : []),
    ...(plainNames ? ['plain names'] : []),
  ].join(', ')
