import { executeCapability, problem } from '@agentopia/api'
import type { Mount } from '../http/mount.ts'
import type { MakeCall } from './call.ts'
import { type ExecuteOnce, waitMsOf } from './execute-once.ts'
import type { Toolbelts } from './toolbelts.ts'

export interface ExecuteRouteDeps {
  readonly toolbelts: Pick<Toolbelts, 'of'>
  readonly makeCall: MakeCall
  readonly executeOnce: ExecuteOnce
}

/** One call over REST: for the agent itself, and for an operator who tries a tool out as that agent. */
export function executeRoutes(mount: Mount, { toolbelts, makeCall, executeOnce }: ExecuteRouteDeps): void {
  mount.reply(executeCapability, async ({ params, body }, { caller, signal, isLetIn, idempotencyKey }) => {
    const notFound = () => problem('agent-not-found', `No agent has the id ${params.agentId}`)
    if (caller.kind === 'agent' && caller.agentId !== params.agentId) throw notFound()
    const open = await toolbelts.of(caller.accountId, params.agentId)
    if (!open) throw notFound()
    const { toolbelt } = open
    const item = toolbelt.items.find(({ id }) => id === params.toolbeltItemId)
    if (!item) throw problem('toolbelt-item-not-found', `The agent has no toolbelt item ${params.toolbeltItemId}`)

    const { accountId } = caller
    const { agentId } = params
    const { timeoutMs } = body
    const waitMs = waitMsOf(item, body.capability)
    const once = { accountId, agentId, key: idempotencyKey, request: { params, body }, timeoutMs, waitMs }
    return executeOnce(once, async () => {
      const { callId, durationMs, answer } = await makeCall({
        toolbelt,
        via: 'rest',
        item,
        ...body,
        id: 1,
        signal,
        isLetIn,
      })
      if ('error' in answer)
        throw problem('tool-failed', `The tool refused ${body.capability}: ${answer.error.message.slice(0, 1_000)}`)
      return { callId, durationMs, result: answer.result }
    })
  })
}
