import type { ToolInstance } from '@agentopia/api'
import type { instances, toolboxes } from '../store/schema/index.ts'

type InstanceRow = typeof instances.$inferSelect
type ToolboxRow = Pick<typeof toolboxes.$inferSelect, 'status'>

/**
 * What people see of a tool instance: what was asked for, and what was last observed of it.
 * An observation counts only while the toolbox reports; of a silent one nobody knows the state.
 * @param toAgents How many capabilities agents are offered that have containers of their own.
 */
export function viewOf(row: InstanceRow, toolbox: ToolboxRow, toAgents?: number): ToolInstance {
  return {
    id: row.id,
    toolboxId: row.toolboxId,
    toolId: row.toolId,
    name: row.name,
    desired: row.desired,
    generation: row.generation,
    config: row.config,
    restarts: row.status?.restarts ?? 0,
    createdAt: row.createdAt.toISOString(),
    ...(row.groupId ? { groupId: row.groupId } : {}),
    ...(row.observedAt ? { observedAt: row.observedAt.toISOString() } : {}),
    ...(row.status?.container ? { image: row.status.container.image } : {}),
    ...discoveryOf(row, row.capabilities?.length ?? toAgents),
    ...stateOf(row, toolbox),
  }
}

function discoveryOf(
  { status }: InstanceRow,
  capabilityCount: number | undefined,
): Pick<ToolInstance, 'server' | 'capabilityCount'> {
  const mcp = status?.mcp
  return {
    ...(mcp ? { server: { ...mcp.server, protocolVersion: mcp.protocolVersion } } : {}),
    ...(capabilityCount === undefined ? {} : { capabilityCount }),
  }
}

type StatePart = Pick<ToolInstance, 'state' | 'reason' | 'message' | 'progress' | 'since' | 'observedGeneration'>

function stateOf(row: InstanceRow, toolbox: ToolboxRow): StatePart {
  if (toolbox.status !== 'active')
    return {
      state: 'unknown',
      reason: 'toolbox_unreachable',
      message: `The toolbox is ${toolbox.status.replaceAll('_', ' ')}; the state is unknown until it reports`,
    }
  if (row.refusal?.generation === row.generation)
    return {
      state: 'blocked',
      reason: 'policy_denied',
      message: row.refusal.message,
      observedGeneration: row.generation,
    }
  const status = row.status
  if (!row.begun) return { state: 'none', message: 'Waits for the tools of its group that it depends on' }
  if (!status) return { state: 'none', message: 'Waiting for the toolbox to take it up' }
  // Nobody's secrets are its own: the agents have containers, and this one is made ready for them.
  if (status.reason === 'missing_credential')
    return {
      state: 'created',
      reason: 'missing_credential',
      observedGeneration: status.generation,
      since: status.since,
      message: 'Ready: each agent with a credential has a container of its own, started when it calls',
    }
  return {
    state: status.state,
    observedGeneration: status.generation,
    since: status.since,
    ...(status.reason ? { reason: status.reason } : {}),
    ...(status.message ? { message: status.message } : {}),
    ...(status.progress
      ? {
          progress: {
            step: status.progress.step,
            ...(status.progress.percent === undefined ? {} : { percent: status.progress.percent }),
          },
        }
      : {}),
  }
}
