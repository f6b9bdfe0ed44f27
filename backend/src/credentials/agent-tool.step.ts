import type { ToolStatus } from '@agentopia/dtma/contract'
import type { toolboxes } from '../store/schema/index.ts'

/** Everything that decides about the container that one agent has of a tool with secrets. */
export interface AgentToolFacts {
  readonly toolboxStatus: typeof toolboxes.$inferSelect.status
  /** `absent`: the agent no longer has the tool. `stopped`: it may not use it now, or has not for a while. */
  readonly wanted: 'running' | 'stopped' | 'absent'
  /** Of the tool instance. */
  readonly generation: number
  /** Of the values that it is to run with; `undefined`: some are missing. */
  readonly secretsVersion: string | undefined
  /** As observed last. */
  readonly status: ToolStatus | undefined
  /** The credential was not tried yet, or what the server offers is not known. */
  readonly curious: boolean
}

export type AgentToolStep =
  /** Nothing, until something changes. */
  | 'settled'
  /** The toolbox is no more, and took everything along. */
  | 'forget'
  | 'remove'
  /** Send the spec, and whether it is to run. */
  | 'put'
  /** Send the values of the secrets. */
  | 'push'
  /** Have the values forgotten, and what runs with them stopped. */
  | 'withdraw'
  /** It is on its way: ask how far. */
  | 'look'
  /** It runs: note that the credential is good, and what the server offers. */
  | 'welcome'
  /** It does not start with this credential: note why. */
  | 'refuse'

/** Decides; touches nothing. */
export function nextStep(facts: AgentToolFacts): AgentToolStep {
  const { toolboxStatus, wanted, generation, secretsVersion, status } = facts
  if (toolboxStatus === 'deprovisioned') return 'forget'
  if (toolboxStatus !== 'active') return 'settled'
  if (wanted === 'absent') return 'remove'
  if (secretsVersion === undefined && status?.secrets && (status.secrets.held ?? status.secrets.used) !== undefined)
    return 'withdraw'
  if (!status) return wanted === 'running' && secretsVersion !== undefined ? 'put' : 'settled'
  if (status.generation > generation) return 'settled' // the instance goes above it first
  if (wanted === 'stopped' || secretsVersion === undefined) return status.desired === 'stopped' ? 'settled' : 'put'
  if (status.generation < generation || status.desired !== 'running') return 'put'
  return runningStep(facts, status, secretsVersion)
}

function runningStep({ curious }: AgentToolFacts, status: ToolStatus, secretsVersion: string): AgentToolStep {
  const { held, used } = status.secrets ?? {}
  // A DTMA that was restarted holds nothing; what it finds running with the right ones runs on.
  if (held !== secretsVersion && !(held === undefined && used === secretsVersion)) return 'push'
  if (isReady(status, secretsVersion)) return curious ? 'welcome' : 'settled'
  if (curious && REFUSED.has(status.reason ?? '')) return 'refuse'
  if (failureOf(status) !== undefined) return 'settled'
  return 'look'
}

/** It runs, as an MCP server, with the right secrets. */
export const isReady = (status: ToolStatus | undefined, secretsVersion: string): boolean =>
  status?.state === 'running' && status.desired === 'running' && status.secrets?.used === secretsVersion

/** What a server that dislikes its secrets does. */
const REFUSED: ReadonlySet<string> = new Set(['crash_loop', 'mcp_handshake_failed'])
/** And what no credential can mend. */
const FAILED: ReadonlySet<string> = new Set([
  ...REFUSED,
  'package_not_found',
  'build_failed',
  'registry_unreachable',
  'policy_denied',
  'name_conflict',
  'disk_full',
])

/** Why it does not come up by itself; `undefined`: it may. */
export const failureOf = ({ reason, message, state }: ToolStatus): string | undefined =>
  reason !== undefined && FAILED.has(reason) ? (message ?? `It is ${state}: ${reason}`) : undefined
