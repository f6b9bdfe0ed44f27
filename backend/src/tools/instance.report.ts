import type { ToolStatus } from '@agentopia/dtma/contract'
import { isAgentToolName, storeAgentToolAbsence, storeAgentToolStatus } from '../credentials/agent-tool.store.ts'
import type { Tx } from '../store/connect.ts'
import { storeAbsence, storeStatus } from './instance.store.ts'

/**
 * Takes over a complete report of a toolbox about its tools, in the transaction of the heartbeat that carried it.
 * Only instances of that toolbox are touched: what it says about others' ids finds no row.
 */
export async function applyToolReport(tx: Tx, toolboxId: string, tools: readonly ToolStatus[]): Promise<void> {
  for (const status of tools)
    await (isAgentToolName(status.name)
      ? storeAgentToolStatus(tx, toolboxId, status)
      : storeStatus(tx, toolboxId, status))
  const names = tools.map(({ name }) => name)
  await storeAbsence(tx, toolboxId, names)
  await storeAgentToolAbsence(tx, toolboxId, names)
}
