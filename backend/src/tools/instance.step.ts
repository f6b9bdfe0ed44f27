import type { ToolStatus } from '@agentopia/dtma/contract'
import type { instances, toolboxes } from '../store/schema/index.ts'

export type InstanceFacts = Pick<
  typeof instances.$inferSelect,
  'desired' | 'generation' | 'begun' | 'status' | 'refusal' | 'capabilityDigest'
>

/** What the reconciler does next for one tool instance. */
export type InstanceStep =
  /** Nothing, until something changes. */
  | 'settled'
  /** Nothing now: the toolbox does not report, so nobody knows what is there; or its turn in its group has not come. */
  | 'wait'
  /** Ask the toolbox to remove it; then the row goes. */
  | 'remove'
  /** Send the spec of this generation. */
  | 'put'
  /** The toolbox has accepted a newer generation than ours (our database was restored): go above it. */
  | 'overtake'
  /** Read the capabilities that the toolbox has discovered. */
  | 'discover'
  /** Agents do not share it any more: what was known of it is each agent's. */
  | 'hand-over'

/** Decides; touches nothing. */
export function nextStep(row: InstanceFacts, toolbox: Pick<typeof toolboxes.$inferSelect, 'status'>): InstanceStep {
  if (toolbox.status === 'deprovisioned' && row.desired === 'absent') return 'remove'
  if (toolbox.status !== 'active') return 'wait'
  if (row.desired === 'absent') return 'remove'
  if (!row.begun) return 'wait'
  if (row.refusal?.generation === row.generation) return 'settled'
  const observed = row.status
  if (!observed || observed.generation < row.generation) return 'put'
  if (observed.generation > row.generation) return 'overtake'
  if (observed.desired !== row.desired) return 'put'
  // It waits for secrets that are none of its own.
  if (observed.reason === 'missing_credential' && row.capabilityDigest !== null) return 'hand-over'
  return needsDiscovery(row, observed) ? 'discover' : 'settled'
}

const needsDiscovery = (row: InstanceFacts, observed: ToolStatus): boolean =>
  observed.state === 'running' && observed.mcp !== undefined && observed.mcp.capabilityDigest !== row.capabilityDigest
