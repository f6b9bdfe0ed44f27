import { getAgentDataFlow, listFlowLabels, putFlowLabels } from '@agentopia/api'
import { getAgentRow } from '../agents/agent.store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { recordActivity } from '../events/activity.store.ts'
import { cleanText } from '../gateway/clean-text.ts'
import type { Mount } from '../http/mount.ts'
import type { Store, Tx } from '../store/connect.ts'
import { getToolboxRow } from '../toolboxes/toolbox.store.ts'
import { getInstanceRow, type InstanceRow } from '../tools/instance.store.ts'
import { offerOfInstance } from '../tools/offer.store.ts'
import { factsOf, readDataFlow, readFlowLabels, storeFlowLabels } from './flow.store.ts'
import { labelledOf, WHOLE } from './flow-labels.ts'
import { madeDangerousBy } from './made-dangerous.ts'

export interface FlowRouteDeps {
  readonly store: Store
  readonly catalog: Catalog
}

/** What tools mean for the flow of data, and where that goes together in one agent. */
export function flowRoutes(mount: Mount, { store, catalog }: FlowRouteDeps): void {
  mount.reply(getAgentDataFlow, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => readDataFlow(tx, (await getAgentRow(tx, params.agentId)).id, catalog)),
  )

  async function instanceOf(tx: Tx, { toolboxId, instanceId }: { toolboxId: string; instanceId: string }) {
    return getInstanceRow(tx, (await getToolboxRow(tx, toolboxId)).id, instanceId)
  }
  const labelsOf = async (tx: Tx, row: InstanceRow) => ({
    items: labelledOf(factsOf(catalog, row, await readFlowLabels(tx, row.id)), await offerOfInstance(tx, row)),
  })

  mount.reply(listFlowLabels, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => labelsOf(tx, await instanceOf(tx, params))),
  )

  mount.reply(putFlowLabels, ({ params, body: { capability, labels } }, { caller }) => {
    const { accountId, actor } = caller
    return store.tenant(accountId, async (tx) => {
      const instance = await instanceOf(tx, params)
      const warnings = await madeDangerousBy(tx, { caller, instanceId: instance.id, catalog }, () =>
        storeFlowLabels(tx, { accountId, instanceId: instance.id, capability: capability ?? WHOLE }, labels),
      )
      const what = capability === undefined ? instance.name : `${instance.name}__${cleanText(capability)}`
      const message = labels
        ? `Said of the data of ${what}: ${labels.join(', ') || 'none of it is private, untrusted or outward'}`
        : `Took back what was said of the data of ${what}`
      const { toolboxId } = params
      await recordActivity(tx, { accountId, actor, action: 'tool.data-flow', subject: instance.id, toolboxId, message })
      return { ...(await labelsOf(tx, instance)), warnings }
    })
  })
}
