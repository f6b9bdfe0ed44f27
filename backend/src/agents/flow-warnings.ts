import { type DataFlow, problem } from '@agentopia/api'
import { getCallSettings } from '../calls/call-settings.store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { readDataFlow } from '../data-flow/flow.store.ts'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import type { Tx } from '../store/connect.ts'
import type { AgentRow } from './agent.store.ts'

/**
 * What a change means for the flow of data. One that makes it worse is put on record.
 * @param before The flow as it was before the change.
 * @throws {ProblemError} `data-flow-refused` where the account wants it so; what was dangerous before may be changed still.
 */
export async function warningsAfter(
  tx: Tx,
  caller: Caller,
  agent: AgentRow,
  before: DataFlow,
  catalog: Catalog,
): Promise<DataFlow['warnings']> {
  const { warnings } = await readDataFlow(tx, agent.id, catalog)
  const [news] = before.warnings.length === 0 ? warnings : []
  if (!news) return warnings
  if ((await getCallSettings(tx)).dataFlow === 'block')
    throw problem('data-flow-refused', `${agent.name}: ${news.message}`)
  await recordActivity(tx, {
    accountId: agent.accountId,
    actor: caller.actor,
    action: 'agent.data-flow',
    subject: agent.id,
    message: `${agent.name}: ${news.message}`,
  })
  return warnings
}
