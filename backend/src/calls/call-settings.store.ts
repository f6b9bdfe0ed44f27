import type { CallSettings } from '@agentopia/api'
import { isNotNull } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { callSettings } from '../store/schema/index.ts'

/** What the account of this transaction decided; what it did not, is as it is for all. */
export async function getCallSettings(tx: Tx): Promise<CallSettings> {
  const [row] = await tx
    .select({
      enabled: callSettings.enabled,
      retentionDays: callSettings.retentionDays,
      approvalSeconds: callSettings.approvalSeconds,
    })
    .from(callSettings)
  return row ?? { enabled: true, retentionDays: null, approvalSeconds: 300 }
}

export async function setCallSettings(tx: Tx, accountId: string, change: Partial<CallSettings>): Promise<CallSettings> {
  await tx
    .insert(callSettings)
    .values({ accountId, ...change })
    .onConflictDoUpdate({ target: callSettings.accountId, set: change })
  return getCallSettings(tx)
}

/** Accounts whose old records are removed, and after how many days. */
export const listRetentions = (tx: Tx): Promise<{ accountId: string; retentionDays: number | null }[]> =>
  tx
    .select({ accountId: callSettings.accountId, retentionDays: callSettings.retentionDays })
    .from(callSettings)
    .where(isNotNull(callSettings.retentionDays))
