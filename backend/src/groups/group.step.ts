import type { ToolGroup, ToolReason } from '@agentopia/api'
import type { GroupMemberRecord } from '../store/schema/groups.ts'
import type { groups, instances, toolboxes } from '../store/schema/index.ts'

export type MemberFacts = Pick<typeof instances.$inferSelect, 'desired' | 'generation' | 'begun' | 'status' | 'refusal'>

export interface GroupFacts {
  readonly desired: (typeof groups.$inferSelect)['desired']
  readonly state: (typeof groups.$inferSelect)['state']
  /** In the order in which they are begun. */
  readonly members: readonly GroupMemberRecord[]
  readonly toolbox: Pick<typeof toolboxes.$inferSelect, 'status'>
  /** What there is on the toolbox; members and others alike. */
  readonly instanceOf: (instanceId: string) => MemberFacts | undefined
  /** Nothing has become ready for too long. */
  readonly isOverdue: boolean
}

type Failure = NonNullable<ToolGroup['failure']>

/** What the reconciler does next for one group. */
export type GroupStep =
  /** Nothing until somebody asks; nothing now; note that all are ready, or that none is left; let the row go. */
  | { readonly kind: 'rest' | 'wait' | 'ready' | 'failed' | 'forget' }
  /** Its turn has come. */
  | { readonly kind: 'begin'; readonly instanceId: string }
  /** Ask for it to be removed. */
  | { readonly kind: 'take-back'; readonly instanceId: string }
  | { readonly kind: 'undo'; readonly failure: Failure }

/** Decides; touches nothing. */
export function nextStep(facts: GroupFacts): GroupStep {
  if (facts.desired === 'absent') return takenBack(facts) ?? { kind: 'forget' }
  switch (facts.state) {
    case 'ready':
    case 'failed':
      return { kind: 'rest' }
    case 'undoing':
      return takenBack(facts) ?? { kind: 'failed' }
    case 'deploying':
      // Of a silent toolbox nobody knows what has become of them.
      return facts.toolbox.status === 'active' ? deploying(facts) : { kind: 'wait' }
  }
}

/** The last one first, each once the one before is gone: whoever needs another goes before it. */
function takenBack({ members, instanceOf }: GroupFacts): GroupStep | undefined {
  const last = members.findLast(({ instanceId }) => instanceOf(instanceId))
  if (!last) return undefined
  const { instanceId } = last
  return instanceOf(instanceId)?.desired === 'absent' ? { kind: 'wait' } : { kind: 'take-back', instanceId }
}

function deploying({ members, instanceOf, isOverdue }: GroupFacts): GroupStep {
  for (const { instanceId, name, needs } of members) {
    const failure = failureOf(name, instanceOf(instanceId))
    if (failure) return { kind: 'undo', failure }
    const gone = needs.find((needed) => !isWanted(instanceOf(needed.instanceId)))
    if (gone)
      return { kind: 'undo', failure: { member: name, message: `${gone.name}, which it depends on, is not there` } }
  }
  const ready = (id: string) => isReady(instanceOf(id))
  const next = members.find(
    ({ instanceId, needs }) => !instanceOf(instanceId)?.begun && needs.every((needed) => ready(needed.instanceId)),
  )
  if (next) return { kind: 'begin', instanceId: next.instanceId }
  const late = members.find(({ instanceId }) => !ready(instanceId))
  if (!late) return { kind: 'ready' }
  return isOverdue ? { kind: 'undo', failure: lateness(late, instanceOf) } : { kind: 'wait' }
}

const isWanted = (instance: MemberFacts | undefined): boolean => instance !== undefined && instance.desired !== 'absent'

/** It answers as an MCP server; or it only waits for the agents' secrets, which come afterwards. */
function isReady(instance: MemberFacts | undefined): boolean {
  const status = instance?.status
  if (!instance?.begun || status?.generation !== instance.generation) return false
  return (status.state === 'running' && status.mcp !== undefined) || status.reason === 'missing_credential'
}

/** These mend themselves, or their cause is mended without the tool. */
const PASSING: ReadonlySet<ToolReason> = new Set(['missing_credential', 'isolation_failed', 'registry_unreachable'])
const LASTING: ReadonlySet<ToolReason> = new Set(['crash_loop', 'rolled_back'])

function failureOf(member: string, instance: MemberFacts | undefined): Failure | undefined {
  if (!instance || !isWanted(instance)) return { member, message: `${member} was removed` }
  const { begun, generation, refusal, status } = instance
  if (!begun) return undefined
  if (refusal?.generation === generation) return { member, reason: 'policy_denied', message: refusal.message }
  if (status?.generation !== generation || status.reason === undefined) return undefined
  const { state, reason, message } = status
  if (!LASTING.has(reason) && (state !== 'blocked' || PASSING.has(reason))) return undefined
  return { member, reason, message: message ?? `${member} did not become ready` }
}

/** Whoever waits for another is not to blame: the first that is begun and not ready is. */
function lateness({ instanceId, name, needs }: GroupMemberRecord, instanceOf: GroupFacts['instanceOf']): Failure {
  const instance = instanceOf(instanceId)
  const waitsFor = instance?.begun ? undefined : needs.find((needed) => !isReady(instanceOf(needed.instanceId)))
  if (waitsFor) return { member: name, message: `${waitsFor.name}, which it depends on, did not become ready in time` }
  const { reason, message } = instance?.status ?? {}
  return { member: name, ...(reason ? { reason } : {}), message: message ?? `${name} did not become ready in time` }
}
