import type { CallSettings } from '@agentopia/api'
import { isNotNull } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { callSettings } from '../store/schema/index.ts'

/** What is not named stays as it is. */
export type ChangedCallSettings = { readonly [Name in keyof CallSettings]?: CallSettings[Name] | undefined }

/** What the account of this transaction decided; what it did not, is as it is for all. */
export async function getCallSettings(tx: Tx): Promise<CallSettings> {
  const [row] = await tx
    .select({
      enabled: callSettings.enabled,
      retentionDays: callSettings.retentionDays,
      secrets: callSettings.secrets,
      dataFlow: callSettings.dataFlow,
      approvalSeconds: callSettings.approvalSeconds,
    })
    .from(callSettings)
  return row ?? { enabled: true, retentionDays: null, secrets: 'redact', dataFlow: 'warn', approvalSeconds: 300 }
}

export async function setCallSettings(tx: Tx, accountId: string, change: ChangedCallSettings): Promise<CallSettings> {
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
