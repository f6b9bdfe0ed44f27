import type { AgentFlowWarning } from '@agentopia/api'
import { listAgentsWith } from '../agents/agent.store.ts'
import { warningsAfter } from '../agents/flow-warnings.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Caller } from '../http/caller.ts'
import type { Tx } from '../store/connect.ts'
import { readDataFlow } from './flow.store.ts'

/**
 * Changes what is said of a tool instance, which may make each agent that has it dangerous. What holds for giving an agent more holds here.
 * @returns The agents that become so; those that were before can be read of at themselves.
 * @throws {ProblemError} `data-flow-refused` where the account wants it so; the transaction is to be given up.
 */
export async function madeDangerousBy(
  tx: Tx,
  { caller, instanceId, catalog }: { readonly caller: Caller; readonly instanceId: string; readonly catalog: Catalog },
  change: () => Promise<void>,
): Promise<AgentFlowWarning[]> {
  const before = []
  for (const agent of await listAgentsWith(tx, instanceId))
    before.push({ agent, flow: await readDataFlow(tx, agent.id, catalog) })
  await change()
  const made: AgentFlowWarning[] = []
  for (const { agent, flow } of before.filter(({ flow: { warnings } }) => warnings.length === 0)) {
    const warnings = await warningsAfter(tx, caller, agent, flow, catalog)
    made.push(...warnings.map((warning) => ({ ...warning, agentId: agent.id, agentName: agent.name })))
  }
  return made
}
