import type { ToolAddress } from '../credentials/agent-belt.ts'
import type { CallUpstream } from '../gateway/upstream.ts'
import { createCallGuard } from './call-guard.ts'
import type { FindOwnSecrets } from './own-secrets.ts'

/**
 * For what is no call and has no record: lists, news of changes. What an agent's own container says
 * of its secrets is taken out; nothing else is looked for.
 */
export const withoutOwnSecrets =
  (callUpstream: CallUpstream, findOwnSecrets: FindOwnSecrets): CallUpstream =>
  async (call) => {
    const { own }: ToolAddress = call.toolbox
    if (own?.secretsVersion === undefined) return callUpstream(call)
    const { accountId, agentId, secretsVersion: versions } = own
    const guard = createCallGuard('off', await findOwnSecrets({ accountId, agentId, versions }))
    const { onNotification } = call
    const hear = (notification: Parameters<NonNullable<typeof onNotification>>[0]) => {
      const heard = guard.heard(notification)
      if (heard) onNotification?.(heard)
    }
    try {
      return guard.answered(await callUpstream({ ...call, ...(onNotification ? { onNotification: hear } : {}) }))
    } catch (error) {
      throw guard.failed(error)
    }
  }
