import type { ToolStatus } from '@agentopia/dtma/contract'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { agentTools, instances } from '../store/schema/index.ts'

/** Where it is kept what toolboxes say of tools: of those that agents share, and of those that one agent has of its own. */
type Observed = typeof instances | typeof agentTools

/** Stores what a toolbox says of one tool; what is of an earlier generation than the last word is ignored. */
export const storeStatus = (tx: Tx, table: Observed, toolboxId: string, status: ToolStatus) =>
  tx
    .update(table)
    .set({ status, observedAt: sql`now()` })
    .where(
      and(eq(table.id, status.name), eq(table.toolboxId, toolboxId), isNoEarlier(table, sql`${status.generation}`)),
    )

/** A complete report of a toolbox about its tools. */
export interface ToldTools {
  readonly toolboxId: string
  readonly tools: readonly ToolStatus[]
}

/**
 * Takes over complete reports of toolboxes about their tools, in the transaction of the heartbeats that carried them: what one names is
 * as it says, unless more is known of a later generation; what it does not name is not there.
 * Only rows of that toolbox are touched: what it says about others' ids finds none.
 */
export async function applyToolReports(tx: Tx, reports: readonly ToldTools[]): Promise<void> {
  if (reports.length === 0) return
  const said = JSON.stringify(reports.map(({ toolboxId, tools }) => ({ toolbox_id: toolboxId, tools })))
  for (const table of [instances, agentTools]) await applyTo(tx, table, said)
}

const applyTo = (tx: Tx, table: Observed, said: string) =>
  tx.execute(sql`
    update ${table} set status = report.status, observed_at = now()
    from jsonb_to_recordset(${said}::jsonb) as told(toolbox_id text, tools jsonb)
    join ${table} as known on known.toolbox_id = told.toolbox_id
    left join jsonb_array_elements(told.tools) as report(status) on report.status->>'name' = known.id
    where ${table.id} = known.id and case
      when report.status is null then ${table.status} is not null
      else ${isNoEarlier(table, sql`(report.status->>'generation')`)}
    end`)

/** Generations are a toolbox's word: they may be as large as JSON holds. */
const isNoEarlier = (table: Observed, generation: SQL): SQL =>
  sql`coalesce((${table.status}->>'generation')::bigint, 0) <= ${generation}::bigint`
