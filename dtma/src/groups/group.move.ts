import type { GroupFailure, GroupRequest, GroupState } from '../contract/group.ts'
import type { ToolReason, ToolStatus } from '../contract/tool.ts'

type Member = GroupRequest['tools'][number]

export interface GroupFacts {
  readonly state: GroupState
  /** In the order in which they are begun. */
  readonly members: readonly Member[]
  /** Names of those that were begun and not taken away again. */
  readonly begun: readonly string[]
  /** What is there. */
  readonly statusOf: (name: string) => ToolStatus | undefined
  /** Nothing has become ready for too long. */
  readonly isOverdue: boolean
}

export type GroupMove =
  | { readonly kind: 'begin'; readonly member: Member }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'ready' | 'failed' | 'gone' | 'wait' | 'rest' }
  | { readonly kind: 'undo'; readonly failure: GroupFailure }

/** Decides; touches nothing. */
export function nextMove(facts: GroupFacts): GroupMove {
  const { state, members, begun } = facts
  if (state === 'ready' || state === 'failed') return { kind: 'rest' }
  if (state === 'deploying') return deploying(facts)
  // The last one first: whoever needs another one goes before it.
  const last = members.findLast(({ name }) => begun.includes(name))
  if (last) return { kind: 'remove', name: last.name }
  return { kind: state === 'undoing' ? 'failed' : 'gone' }
}

function deploying({ members, begun, statusOf, isOverdue }: GroupFacts): GroupMove {
  const ofName = new Map(members.map((member) => [member.name, member]))
  const ready = (name: string) => begun.includes(name) && isReady(statusOf(name), ofName.get(name)!.generation)
  for (const { name, generation } of members) {
    const status = begun.includes(name) ? statusOf(name) : undefined
    if (status && status.generation === generation && hasFailed(status)) return undo(name, status)
  }
  const next = members.find(({ name, after }) => !begun.includes(name) && after.every(ready))
  if (next) return { kind: 'begin', member: next }
  const late = members.find(({ name }) => !ready(name))
  if (!late) return { kind: 'ready' }
  return isOverdue ? undo(late.name, statusOf(late.name)) : { kind: 'wait' }
}

/** It answers as an MCP server; or it only waits for secrets, which come afterwards. */
function isReady(status: ToolStatus | undefined, generation: number): boolean {
  if (status?.generation !== generation) return false
  return (status.state === 'running' && status.mcp !== undefined) || status.reason === 'missing_credential'
}

/** These mend themselves, or their cause is mended without the tool. */
const PASSING: ReadonlySet<ToolReason> = new Set(['missing_credential', 'isolation_failed', 'registry_unreachable'])
const LASTING: ReadonlySet<ToolReason> = new Set(['crash_loop', 'rolled_back'])

const hasFailed = ({ state, reason }: ToolStatus): boolean =>
  reason !== undefined && (LASTING.has(reason) || (state === 'blocked' && !PASSING.has(reason)))

function undo(tool: string, status: ToolStatus | undefined): GroupMove {
  const message = status?.message ?? `${tool} did not become ready in time`
  return { kind: 'undo', failure: { tool, message, ...(status?.reason ? { reason: status.reason } : {}) } }
}
