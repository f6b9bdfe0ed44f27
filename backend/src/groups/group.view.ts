import type { GroupMember, ToolGroup } from '@agentopia/api'
import type { GroupMemberRecord } from '../store/schema/groups.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { InstanceRow } from '../tools/instance.store.ts'
import { viewOf as instanceViewOf } from '../tools/instance.view.ts'
import type { GroupRow } from './group.store.ts'

/** What people see of a group: what was asked for, and what its tools are doing now. */
export function viewOf(group: GroupRow, rows: readonly InstanceRow[], toolbox: ToolboxRow): ToolGroup {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return {
    id: group.id,
    toolboxId: group.toolboxId,
    name: group.name,
    state: group.desired === 'absent' ? 'removing' : group.state,
    since: group.since.toISOString(),
    ...(group.failure ? { failure: group.failure } : {}),
    members: group.members.map((member) => memberOf(member, byId.get(member.instanceId), toolbox)),
    createdAt: group.createdAt.toISOString(),
  }
}

function memberOf(
  { name, toolId, needs }: GroupMemberRecord,
  row: InstanceRow | undefined,
  toolbox: ToolboxRow,
): GroupMember {
  const member = { name, toolId, dependsOn: needs.map((needed) => needed.name) }
  if (!row) return { ...member, state: 'none' }
  const { id, state, reason, message } = instanceViewOf(row, toolbox)
  return {
    ...member,
    instanceId: id,
    state: row.begun ? state : 'waiting',
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
  }
}
