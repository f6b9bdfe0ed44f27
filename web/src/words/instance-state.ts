import type { ToolInstance, ToolReason, ToolState } from '@agentopia/api'
import type { Tone } from './tone.ts'

type Seen = Pick<ToolInstance, 'desired' | 'state' | 'generation' | 'observedGeneration' | 'reason'>

const TONES = {
  none: 'busy',
  pulling: 'busy',
  building: 'busy',
  created: 'busy',
  starting: 'busy',
  running: 'ok',
  unhealthy: 'bad',
  stopping: 'busy',
  exited: 'bad',
  blocked: 'bad',
  unknown: 'warn',
} as const satisfies Record<ToolState, Tone>

/** A tool with secrets: its image is there, and each agent has a container of its own. */
const isReadyForAgents = ({ state, reason }: Pick<Seen, 'state' | 'reason'>): boolean =>
  state === 'created' && reason === 'missing_credential'

/** What is observed, judged by what was asked for: exited is well when it was told to stop. */
export function toneOfInstance({ desired, state, reason }: Seen): Tone {
  if (desired === 'absent') return 'busy'
  if (isReadyForAgents({ state, reason })) return 'ok'
  if (desired === 'stopped') {
    if (state === 'exited' || state === 'none' || state === 'created') return 'idle'
    return state === 'running' ? 'busy' : TONES[state]
  }
  return TONES[state]
}

/** The state in the product's words; what was asked for and not yet seen is said as well. */
export function stateWords({ desired, state, generation, observedGeneration, reason }: Seen): string {
  if (desired === 'absent') return 'being removed'
  if (isReadyForAgents({ state, reason })) return 'ready for agents'
  if (state === 'none') return desired === 'stopped' ? 'stopped' : 'asked for'
  if (desired === 'stopped' && state === 'exited') return 'stopped'
  if (desired === 'stopped' && state === 'running') return 'told to stop'
  if (state === 'running' && observedGeneration !== undefined && observedGeneration < generation) return 'changing'
  return state
}

/** Whether the toolbox is at work on it: progress is worth watching. */
export const isUnderway = (instance: Seen): boolean => toneOfInstance(instance) === 'busy'

/** What to do about a reason. */
export const REASON_ADVICE = {
  package_not_found: 'The package or its version does not exist. Choose another version.',
  build_failed: 'Read its log, then restart to build again.',
  image_not_found: 'The image does not exist under that name. Check it, or push its archive again.',
  image_auth: 'The registry refuses the toolbox. Store a credential for it in the settings, then restart the tool.',
  image_invalid: 'The image is damaged, or made for other machines. Choose another one.',
  registry_unreachable: 'The toolbox cannot reach the registry. It tries again by itself.',
  policy_denied: 'The tool asks for more than the hardening allows.',
  missing_credential: 'Store the secrets of an agent in its toolbelt.',
  crash_loop: 'It ends again and again. Read its log; restarts are spaced out.',
  oom_killed: 'It needed more memory than it may have.',
  exited: 'Read its log, then start it again.',
  mcp_handshake_failed: 'The process runs, but does not speak MCP. Read its log.',
  mcp_ping_failed: 'It spoke MCP and no longer answers. It is restarted if that stays so.',
  name_conflict: 'Another container holds its name on the toolbox.',
  disk_full: 'Free disk space on the toolbox.',
  docker_down: 'Start Docker on the toolbox.',
  docker_hung: 'Restart Docker on the toolbox.',
  toolbox_unreachable: 'Refresh the status of the toolbox: it names the cause.',
  isolation_failed: 'The toolbox cannot keep it apart from its surroundings. Run its diagnostics.',
  rolled_back:
    'The new version did not work; the one before runs again. Change the settings, or choose another version.',
  internal: 'Read the log of DTMA on the toolbox.',
} as const satisfies Record<ToolReason, string>
