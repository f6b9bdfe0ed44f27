import { problem } from '@agentopia/api'
import type { AskPerson } from '../approvals/ask-person.ts'
import { authorise, type BeltItem, type Toolbelt } from './authorise.ts'
import type { WantedCall } from './call.ts'

/** What a person has let pass, and what it may be made with now. */
export interface Approved {
  readonly decidedBy: string
  readonly item: BeltItem
}

/**
 * Asks a person before a call is made. Meanwhile rights may have been taken away, and tools may have become others: what is
 * true is read anew after the answer.
 * @throws {ProblemError} `approval-denied`, `approval-timeout`, `rate-limited`, `call-stopped`; or the signal's reason.
 */
export type AskFirst = (wanted: WantedCall, item: BeltItem, call: RecordedCall) => Promise<Approved>

/** What is on record of the call that waits. */
interface RecordedCall {
  readonly callId: string
  readonly argumentDigest: string
  readonly argumentBytes: number
}

export interface AskFirstDeps {
  readonly askPerson: AskPerson
  /** The toolbelt as it is now, and not as it is remembered. */
  readonly readToolbelt: (accountId: string, agentId: string) => Promise<Toolbelt | undefined>
}

export const createAskFirst =
  ({ askPerson, readToolbelt }: AskFirstDeps): AskFirst =>
  async (wanted, item, call) => {
    const { capability, via, signal } = wanted
    const { id: agentId, accountId, name: agentName } = wanted.toolbelt.agent
    const asked = item.instance.capabilities.find(({ name }) => name === capability)
    const { readOnlyHint, destructiveHint } = asked?.annotations ?? {}
    const question = {
      ...call,
      accountId,
      agentId,
      agentName,
      toolbeltItemId: item.id,
      instanceName: item.instance.name,
      capability,
      readOnly: flagOf(readOnlyHint),
      destructive: flagOf(destructiveHint),
      via,
      args: wanted.arguments,
    }
    const onWaiting = progressOf(wanted)
    const decidedBy = await askPerson(question, { signal, ...(onWaiting ? { onWaiting } : {}) })

    const toolbelt = await readToolbelt(accountId, agentId)
    const now = toolbelt?.items.find(({ id }) => id === item.id)
    const decision = toolbelt && now && authorise(toolbelt, now, capability)
    if (!now || !decision?.allowed || decision.capability.digest !== asked?.digest)
      throw problem('call-stopped', 'What was asked for is not what would be called any more; it was not made')
    return { decidedBy, item: now }
  }

const flagOf = (hint: unknown): boolean | null => (typeof hint === 'boolean' ? hint : null)

/** Tells a client that gave a token for it that the call is alive. Steps so small that those of the tool go on from there. */
function progressOf({ meta, onNotification }: WantedCall): (() => void) | undefined {
  const progressToken = meta?.['progressToken']
  if (!onNotification || (typeof progressToken !== 'string' && typeof progressToken !== 'number')) return undefined
  let steps = 0
  return () => {
    steps += 1
    const params = { progressToken, progress: steps / 1_000_000, message: 'Waits for a person to approve this call' }
    onNotification({ jsonrpc: '2.0', method: 'notifications/progress', params })
  }
}
