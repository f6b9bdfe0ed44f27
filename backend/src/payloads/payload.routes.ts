import {
  getCall,
  getCallPayload,
  getPayloadRules,
  problem,
  putPayloadRule,
  removeCallPayload,
  removeCallPayloads,
  removePayloadRule,
} from '@agentopia/api'
import { listCallRecords } from '../calls/call.store.ts'
import type { CallRecorder } from '../calls/call-recorder.ts'
import { recordActivity } from '../events/activity.store.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import type { Sealer } from '../store/seal.ts'
import {
  deletePayloadRule,
  deletePayloads,
  findPayload,
  nameOfInstance,
  payloadOf,
  readPayloadRules,
  storePayloadRule,
} from './payload.store.ts'
import type { KeptPayload } from './payload.ts'
import type { PayloadKeeper } from './payload-keeper.ts'

export interface PayloadRouteDeps {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Pick<Clock, 'now'>
  readonly recorder: Pick<CallRecorder, 'flush'>
  readonly keeper: Pick<PayloadKeeper, 'flush'>
  /** Ends what this process remembers of the account's toolbelts: what was decided holds for the next call. */
  readonly forget: (accountId: string) => void
}

/** What was sent with calls and what came back: who may read it, how long it is kept, and how it goes. */
export function payloadRoutes(mount: Mount, deps: PayloadRouteDeps): void {
  const { store, sealer, clock, recorder, keeper, forget } = deps
  const now = () => new Date(clock.now())

  mount.reply(getPayloadRules, (_, { caller }) => store.tenant(caller.accountId, readPayloadRules))

  mount.reply(putPayloadRule, async ({ body: { instanceId, ...rule } }, { caller: { accountId, actor } }) => {
    await keeper.flush() // what was kept under the old rule is judged by the new one
    const rules = await store.tenant(accountId, async (tx) => {
      const name = instanceId === undefined ? 'all tools' : await nameOfInstance(tx, instanceId)
      await storePayloadRule(tx, accountId, instanceId, rule)
      const message =
        rule.days === 0
          ? `What is sent to ${name} and answered is not kept`
          : `What is sent to ${name} and answered is kept for ${rule.days} days`
      await recordActivity(tx, { accountId, actor, action: 'payloads.rule', subject: instanceId ?? accountId, message })
      return readPayloadRules(tx)
    })
    forget(accountId)
    return rules
  })

  mount.reply(removePayloadRule, async ({ params: { instanceId } }, { caller: { accountId, actor } }) => {
    await keeper.flush()
    const rules = await store.tenant(accountId, async (tx) => {
      if (!(await deletePayloadRule(tx, instanceId))) await nameOfInstance(tx, instanceId) // there is such an instance, without a rule
      const message = 'What is sent to a tool and answered is kept as the account says'
      await recordActivity(tx, { accountId, actor, action: 'payloads.rule', subject: instanceId, message })
      return readPayloadRules(tx)
    })
    forget(accountId)
    return rules
  })

  mount.reply(removeCallPayloads, async ({ query }, { caller: { accountId, actor } }) => {
    await keeper.flush()
    return store.tenant(accountId, async (tx) => {
      const removed = await deletePayloads(tx, query)
      const subject = query.agentId ?? query.instanceId ?? accountId
      const message = `Forgot what was sent and answered in ${removed} calls`
      await recordActivity(tx, { accountId, actor, action: 'payloads.removed', subject, message })
      return { removed }
    })
  })

  mount.reply(getCall, async ({ params: { callId } }, { caller }) => {
    await Promise.all([recorder.flush(), keeper.flush()])
    return store.tenant(caller.accountId, async (tx) => {
      const [call] = await listCallRecords(tx, { id: callId, limit: 1 })
      if (!call) throw problem('call-not-found', `No call ${callId} is on record`)
      const kept = await findPayload(tx, callId, now())
      const payload = kept && { keptUntil: kept.keptUntil.toISOString(), bytes: kept.bytes }
      return { ...call, ...(payload ? { payload } : {}) }
    })
  })

  mount.reply(getCallPayload, async ({ params: { callId } }, { caller: { accountId, actor } }) => {
    await keeper.flush()
    return store.tenant(accountId, async (tx) => {
      const row = await findPayload(tx, callId, now())
      if (!row) throw problem('payload-not-found', `What was sent with ${callId} is not kept`)
      const message = `Read what was sent and answered in ${callId}`
      await recordActivity(tx, { accountId, actor, action: 'payload.read', subject: callId, message })
      const kept = JSON.parse(sealer.open(row.sealed, payloadOf(row))) as KeptPayload
      return { callId, ...kept, keptUntil: row.keptUntil.toISOString() }
    })
  })

  mount.reply(removeCallPayload, async ({ params: { callId } }, { caller: { accountId, actor } }) => {
    await keeper.flush()
    await store.tenant(accountId, async (tx) => {
      if ((await deletePayloads(tx, { callId })) === 0)
        throw problem('payload-not-found', `Nothing is kept of a call ${callId}`)
      const message = `Forgot what was sent and answered in ${callId}`
      await recordActivity(tx, { accountId, actor, action: 'payloads.removed', subject: callId, message })
    })
    return undefined
  })
}
