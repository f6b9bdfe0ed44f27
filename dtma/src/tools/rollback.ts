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

/** No fault of the version, which may be had later. When nothing serves meanwhile, the version before is better than none. */
const NOT_TO_BE_HAD: ReadonlySet<ToolReason> = new Set(['image_auth', 'image_invalid', 'registry_unreachable'])

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
 * @param serves Whether a container of the tool runs, or is paused and goes on soon, of whatever version.
 * @returns What changes of the accepted tool; `undefined`: nothing.
 */
export function rollbackOf(
  { generation, spec, good, offered, refused }: AcceptedTool,
  trouble: Trouble | undefined,
  serves: boolean,
): Pick<AcceptedTool, 'spec' | 'refused'> | undefined {
  if (!trouble || !good || refused?.generation === generation) return undefined
  if (offered?.generation === generation || specHashOf(good) === specHashOf(spec)) return undefined
  const counts = ITS_OWN.has(trouble.reason) || (!serves && NOT_TO_BE_HAD.has(trouble.reason))
  if (!counts || (!trouble.lasting && trouble.failures < TRIES)) return undefined
  const { reason, message } = trouble
  return { spec: good, refused: { generation, spec, reason, message } }
}

/** Whether the version before runs only because the present one could not be had, and may be by now. */
export const isAwaited = ({ generation, refused }: AcceptedTool): boolean =>
  refused?.generation === generation && NOT_TO_BE_HAD.has(refused.reason)

/** What {@link rollbackOf} changed, undone. The version gets its chance as if it had just been accepted. */
export const wantedAgain = (tool: AcceptedTool): AcceptedTool =>
  isAwaited(tool) ? { ...tool, spec: tool.refused!.spec, refused: undefined, offered: undefined } : tool
