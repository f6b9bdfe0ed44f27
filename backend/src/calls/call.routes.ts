import { exportCalls, getCallSettings, listCalls, switchCalls, updateCallSettings, verifyCalls } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { cursorOf, positionOf } from '../http/cursor.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { listCallRecords } from './call.store.ts'
import type { CallRecorder } from './call-recorder.ts'
import { getCallSettings as readSettings, setCallSettings } from './call-settings.store.ts'
import { verifyCallChain } from './call-verifier.ts'
import type { ChainSeal } from './chain-seal.ts'
import { asCsv, asNdjson, scanCalls } from './export.ts'

export interface CallRouteDeps {
  readonly store: Store
  readonly recorder: Pick<CallRecorder, 'flush'>
  readonly seal: ChainSeal
}

export function callRoutes(mount: Mount, { store, recorder, seal }: CallRouteDeps): void {
  mount.reply(listCalls, async ({ query }, { caller }) => {
    const { cursor, limit, ...filter } = query
    const known = cursor === undefined ? undefined : positionOf(cursor)
    const before = known && { startedAt: known.at.toISOString(), id: known.id }
    await recorder.flush() // whoever called sees his call
    const found = await store.tenant(caller.accountId, (tx) =>
      listCallRecords(tx, { ...filter, limit: limit + 1, before }),
    )
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return { items, ...(last && found.length > limit ? { nextCursor: cursorOf(last.startedAt, last.id) } : {}) }
  })

  mount.file(exportCalls, async ({ query: { format, ...filter } }, { caller, signal }) => {
    await recorder.flush()
    const pages = scanCalls(store, caller.accountId, filter, signal)
    return format === 'csv'
      ? { type: 'text/csv', name: 'calls.csv', chunks: asCsv(pages) }
      : { type: 'application/x-ndjson', name: 'calls.ndjson', chunks: asNdjson(pages) }
  })

  mount.reply(verifyCalls, async ({ query: { sequence, hash } }, { caller, signal }) => {
    await recorder.flush()
    const known = sequence === undefined || hash === undefined ? undefined : { sequence, hash }
    return verifyCallChain({ store, seal }, caller.accountId, { known, signal })
  })

  mount.reply(getCallSettings, (_, { caller }) => store.tenant(caller.accountId, readSettings))

  mount.reply(switchCalls, ({ body: { enabled } }, { caller: { accountId, actor } }) =>
    store.tenant(accountId, async (tx) => {
      const before = await readSettings(tx)
      if (before.enabled === enabled) return before
      const action = enabled ? 'calls.enabled' : 'calls.disabled'
      const message = enabled ? 'Allowed calls again' : 'Stopped every call of the account'
      await recordActivity(tx, { accountId, actor, action, subject: accountId, message })
      return setCallSettings(tx, accountId, { enabled })
    }),
  )

  mount.reply(updateCallSettings, ({ body }, { caller: { accountId, actor } }) =>
    store.tenant(accountId, async (tx) => {
      const before = await readSettings(tx)
      const { retentionDays = before.retentionDays, approvalSeconds = before.approvalSeconds } = body
      const record = (action: string, message: string) =>
        recordActivity(tx, { accountId, actor, action, subject: accountId, message })
      if (before.retentionDays !== retentionDays)
        await record(
          'calls.retention',
          retentionDays === null
            ? 'Records of calls are kept'
            : `Records of calls are removed after ${retentionDays} days`,
        )
      if (before.approvalSeconds !== approvalSeconds)
        await record('calls.approval-time', `Calls wait ${approvalSeconds} s for a person who is asked`)
      return setCallSettings(tx, accountId, { retentionDays, approvalSeconds })
    }),
  )
}
