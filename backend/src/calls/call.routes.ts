import {
  type CallSettings,
  exportCalls,
  getCallSettings,
  listCalls,
  switchCalls,
  updateCallSettings,
  verifyCalls,
} from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { cursorOf, positionOf } from '../http/cursor.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { listCallRecords } from './call.store.ts'
import type { CallRecorder } from './call-recorder.ts'
import { type ChangedCallSettings, getCallSettings as readSettings, setCallSettings } from './call-settings.store.ts'
import { verifyCallChain } from './call-verifier.ts'
import type { ChainSeal } from './chain-seal.ts'
import { asCsv, asNdjson, scanCalls } from './export.ts'

export interface CallRouteDeps {
  readonly store: Store
  readonly recorder: Pick<CallRecorder, 'flush'>
  readonly seal: ChainSeal
  /** Ends what this process remembers of the account's toolbelts: what was decided holds for the next call. */
  readonly forget: (accountId: string) => void
}

export function callRoutes(mount: Mount, { store, recorder, seal, forget }: CallRouteDeps): void {
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

  mount.reply(updateCallSettings, async ({ body: change }, { caller: { accountId, actor } }) => {
    const settings = await store.tenant(accountId, async (tx) => {
      const before = await readSettings(tx)
      const deeds = deedsOf(before, change)
      for (const deed of deeds) await recordActivity(tx, { accountId, actor, subject: accountId, ...deed })
      return deeds.length === 0 ? before : setCallSettings(tx, accountId, change)
    })
    forget(accountId)
    return settings
  })
}

/** What a change of the settings means, one deed for each that changes. */
function deedsOf(
  before: CallSettings,
  change: ChangedCallSettings,
): readonly { readonly action: string; readonly message: string }[] {
  const { retentionDays = before.retentionDays, approvalSeconds = before.approvalSeconds } = change
  const { secrets = before.secrets, dataFlow = before.dataFlow } = change
  const waiting = `Calls wait ${approvalSeconds} s for a person who is asked`
  const kept =
    retentionDays === null ? 'Records of calls are kept' : `Records of calls are removed after ${retentionDays} days`
  return [
    ...(retentionDays === before.retentionDays ? [] : [{ action: 'calls.retention', message: kept }]),
    ...(approvalSeconds === before.approvalSeconds ? [] : [{ action: 'calls.approval-time', message: waiting }]),
    ...(secrets === before.secrets ? [] : [{ action: 'calls.secrets', message: SECRETS_ARE[secrets] }]),
    ...(dataFlow === before.dataFlow ? [] : [{ action: 'calls.data-flow', message: FLOW_IS[dataFlow] }]),
  ]
}

const FLOW_IS = {
  warn: 'Agents that could give private data away are warned of',
  block: 'No agent is granted everything that is needed to give private data away',
} as const satisfies Record<CallSettings['dataFlow'], string>

const SECRETS_ARE = {
  redact: 'What looks like a secret is taken out of calls',
  block: 'Calls with what looks like a secret are refused',
  off: 'Calls are not searched for what looks like a secret',
} as const satisfies Record<CallSettings['secrets'], string>
