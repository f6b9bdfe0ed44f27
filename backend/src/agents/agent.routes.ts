import {
  connectSnippets,
  createAgent,
  createAgentToken,
  getAgent,
  grantToolboxAccess,
  listAgents,
  listAgentTokens,
  problem,
  removeAgent,
  revokeAgentToken,
  revokeToolboxAccess,
  updateAgent,
} from '@agentopia/api'
import type { Catalog } from '../catalog/catalog.ts'
import { readDataFlow } from '../data-flow/flow.store.ts'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import { once } from '../http/idempotency.ts'
import type { Mount } from '../http/mount.ts'
import type { IdPrefix } from '../new-id.ts'
import type { Store, Tx } from '../store/connect.ts'
import { getStayingToolboxRow, getToolboxRow } from '../toolboxes/toolbox.store.ts'
import {
  type AgentRow,
  changeAgent,
  deleteAgent,
  getAgentRow,
  getAgentView,
  grantAccess,
  insertAgent,
  listAgentViews,
  revokeAccess,
} from './agent.store.ts'
import { deleteAgentToken, insertAgentToken, listAgentTokensOf } from './agent-token.store.ts'
import { type ChangedForCallsDeps, changedForCalls } from './changed-for-calls.ts'
import { warningsAfter } from './flow-warnings.ts'

export interface AgentRouteDeps extends ChangedForCallsDeps {
  readonly store: Store
  readonly catalog: Catalog
  readonly newId: (prefix: IdPrefix) => string
  /** Where agents connect. */
  readonly mcpUrl: string
  /** A token was revoked or an agent removed: nobody may be remembered. */
  readonly forgetAgents: () => void
}

export function agentRoutes(
  mount: Mount,
  { store, catalog, newId, mcpUrl, forgetAgents, forget }: AgentRouteDeps,
): void {
  const change = changedForCalls({ store, forget })

  mount.reply(listAgents, ({ query }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const found = await listAgentViews(tx, query.limit + 1, query.cursor)
      const items = found.slice(0, query.limit)
      return { items, ...(found.length > query.limit ? { nextCursor: items.at(-1)!.name } : {}) }
    }),
  )

  mount.reply(getAgent, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => getAgentView(tx, params.agentId)),
  )

  mount.reply(createAgent, ({ body }, { caller, idempotencyKey }) => {
    const { accountId } = caller
    return store.tenant(accountId, (tx) =>
      once(tx, { accountId, key: idempotencyKey, operation: createAgent.id, request: body }, async () => {
        const row = await insertAgent(tx, { id: newId('agent'), accountId, ...body })
        await record(tx, caller, 'agent.created', row, `Registered the agent ${row.name}`)
        return getAgentView(tx, row.id)
      }),
    )
  })

  mount.reply(updateAgent, ({ params, body }, { caller }) =>
    change(caller, async (tx) => {
      const before = await getAgentRow(tx, params.agentId)
      const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
      const row = await changeAgent(tx, before, change)
      if (row.enabled !== before.enabled)
        await record(
          tx,
          caller,
          row.enabled ? 'agent.enabled' : 'agent.disabled',
          row,
          `Switched ${row.name} ${row.enabled ? 'on' : 'off'}`,
        )
      else if (row !== before) await record(tx, caller, 'agent.updated', row, `Changed the agent ${row.name}`)
      return getAgentView(tx, row.id)
    }),
  )

  mount.reply(removeAgent, async ({ params }, { caller }) => {
    await change(caller, async (tx) => {
      const row = await getAgentRow(tx, params.agentId)
      await deleteAgent(tx, row.id)
      await record(tx, caller, 'agent.removed', row, `Removed the agent ${row.name}`)
    })
    forgetAgents()
    return undefined
  })

  mount.reply(grantToolboxAccess, ({ params }, { caller }) =>
    change(caller, async (tx) => {
      const [row, toolbox] = [await getAgentRow(tx, params.agentId), await getStayingToolboxRow(tx, params.toolboxId)]
      const flow = await readDataFlow(tx, row.id, catalog)
      await grantAccess(tx, row, toolbox.id)
      await record(tx, caller, 'agent.access-granted', row, `${row.name} may use the toolbox ${toolbox.name}`)
      const warnings = await warningsAfter(tx, caller, row, flow, catalog)
      return { ...(await getAgentView(tx, row.id)), warnings }
    }),
  )

  mount.reply(revokeToolboxAccess, ({ params }, { caller }) =>
    change(caller, async (tx) => {
      const [row, toolbox] = [await getAgentRow(tx, params.agentId), await getToolboxRow(tx, params.toolboxId)]
      await revokeAccess(tx, row.id, toolbox.id)
      await record(tx, caller, 'agent.access-revoked', row, `${row.name} may no longer use the toolbox ${toolbox.name}`)
      return getAgentView(tx, row.id)
    }),
  )

  mount.reply(listAgentTokens, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => ({
      items: await listAgentTokensOf(tx, (await getAgentRow(tx, params.agentId)).id),
    })),
  )

  mount.reply(createAgentToken, ({ params, body }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const row = await getAgentRow(tx, params.agentId)
      const { token, secret } = await insertAgentToken(tx, row, body.name, body.expiresInDays)
      await record(tx, caller, 'agent.token-created', row, `Made the token ${token.name} of ${row.name}`)
      return { token, secret, mcpUrl, snippets: connectSnippets({ name: row.name, url: mcpUrl, secret }) }
    }),
  )

  mount.reply(revokeAgentToken, async ({ params }, { caller }) => {
    await store.tenant(caller.accountId, async (tx) => {
      const row = await getAgentRow(tx, params.agentId)
      if (!(await deleteAgentToken(tx, row.id, params.tokenId)))
        throw problem('token-not-found', `${row.name} has no token ${params.tokenId}`)
      await record(tx, caller, 'agent.token-revoked', row, `Revoked a token of ${row.name}`)
    })
    forgetAgents()
    return undefined
  })
}

const record = (tx: Tx, caller: Caller, action: string, row: AgentRow, message: string) =>
  recordActivity(tx, { accountId: row.accountId, actor: caller.actor, action, subject: row.id, message })
