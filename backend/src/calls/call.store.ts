import type { Call } from '@agentopia/api'
import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { agents, calls } from '../store/schema/index.ts'
import type { CallRecord } from './call-record.ts'

/** Adds records; one that is there already stays as it is, so that it may be repeated. */
export async function insertCalls(tx: Tx, records: readonly CallRecord[]): Promise<void> {
  // One parameter, whatever their number: the database unpacks it faster than a driver packs thousands.
  await tx.execute(sql`
    insert into ${calls} (id, account_id, agent_id, agent_name, instance_id, instance_name, capability, started_at,
      argument_digest, argument_bytes, outcome, code, duration_ms, result_bytes)
    select id, "accountId", "agentId", "agentName", "instanceId", "instanceName", capability, "startedAt",
      "argumentDigest", "argumentBytes", outcome, code, "durationMs", "resultBytes"
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as r(id text, "accountId" text, "agentId" text,
      "agentName" text, "instanceId" text, "instanceName" text, capability text, "startedAt" timestamptz,
      "argumentDigest" text, "argumentBytes" bigint, outcome text, code text, "durationMs" float8, "resultBytes" bigint)
    on conflict (id) do nothing`)
}

/** Notes that these agents called just now. */
export async function noteLastCall(tx: Tx, agentIds: readonly string[]): Promise<void> {
  await tx
    .update(agents)
    .set({ lastCallAt: sql`now()` })
    .where(inArray(agents.id, [...agentIds]))
}

export interface CallQuery {
  readonly limit: number
  readonly agentId?: string | undefined
  readonly instanceId?: string | undefined
  readonly outcome?: Call['outcome'] | undefined
  /** Only what began before this one. */
  readonly before?: { readonly startedAt: string; readonly id: string } | undefined
}

/** Newest first. */
export async function listCallRecords(tx: Tx, query: CallQuery): Promise<Call[]> {
  const { limit, agentId, instanceId, outcome, before } = query
  const rows = await tx
    .select()
    .from(calls)
    .where(
      and(
        agentId === undefined ? undefined : eq(calls.agentId, agentId),
        instanceId === undefined ? undefined : eq(calls.instanceId, instanceId),
        outcome === undefined ? undefined : eq(calls.outcome, outcome),
        before && sql`(${calls.startedAt}, ${calls.id}) < (${before.startedAt}::timestamptz, ${before.id})`,
      ),
    )
    .orderBy(desc(calls.startedAt), desc(calls.id))
    .limit(limit)
  return rows.map(viewOf)
}

const viewOf = ({
  accountId: _,
  instanceId,
  instanceName,
  code,
  resultBytes,
  startedAt,
  ...row
}: typeof calls.$inferSelect): Call => ({
  ...row,
  startedAt: startedAt.toISOString(),
  ...(instanceId === null ? {} : { instanceId }),
  ...(instanceName === null ? {} : { instanceName }),
  ...(code === null ? {} : { code }),
  ...(resultBytes === null ? {} : { resultBytes }),
})
