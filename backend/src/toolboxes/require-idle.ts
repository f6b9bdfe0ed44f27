import { problem } from '@agentopia/api'
import { findActionAtWork } from '../providers/digitalocean/action.store.ts'
import type { Tx } from '../store/connect.ts'
import { whyBusy } from './busy.decision.ts'
import type { ToolboxRow } from './toolbox.store.ts'

/** For whoever is to begin something with a toolbox, in the transaction that has locked it. @throws {ProblemError} `toolbox-busy` */
export async function requireIdle(tx: Tx, row: ToolboxRow): Promise<void> {
  const why = whyBusy(row, await findActionAtWork(tx, row.id))
  if (why !== undefined) throw problem('toolbox-busy', why)
}
