import type { ToolReason } from '../contract/tool.ts'
import type { AcceptedTool } from './spec-file.ts'
import { specHashOf } from './tool-labels.ts'

/** Failures that are the new version's own. What lies in its surroundings would strike the old one as well. */
const ITS_OWN: ReadonlySet<ToolReason> = new Set([
  'mcp_handshake_failed',
  'exited',
  'crash_loop',
  'oom_killed',
  'policy_denied',
  'build_failed',
  'package_not_found',
  'image_not_found',
])

/** So many failures in a row, without one handshake, and the version before comes back. */
const TRIES = 2

export interface Trouble {
  readonly failures: number
  /** Trying again soon cannot mend it. */
  readonly lasting: boolean
  readonly reason: ToolReason
  readonly message: string
}

/**
 * The version before, when the present one has failed without ever having spoken MCP.
 * @returns What changes of the accepted tool; `undefined`: nothing.
 */
export function rollbackOf(
  { generation, spec, good, offered, refused }: AcceptedTool,
  trouble: Trouble | undefined,
): Pick<AcceptedTool, 'spec' | 'refused'> | undefined {
  if (!trouble || !good || refused?.generation === generation) return undefined
  if (offered?.generation === generation || specHashOf(good) === specHashOf(spec)) return undefined
  if (!ITS_OWN.has(trouble.reason) || (!trouble.lasting && trouble.failures < TRIES)) return undefined
  const { reason, message } = trouble
  return { spec: good, refused: { generation, spec, reason, message } }
}
