import type { ObservationCode, Provider, Toolbox, ToolboxStatus } from '@agentopia/api'
import { spanOf } from './relative-time.ts'
import type { Tone } from './tone.ts'

const TONES = {
  pending_provision: 'busy',
  provisioning: 'busy',
  awaiting_heartbeat: 'busy',
  active: 'ok',
  unresponsive: 'bad',
  error_provisioning: 'bad',
  lost: 'bad',
  pending_deprovision: 'busy',
  deprovisioning: 'busy',
  deprovisioned: 'idle',
  error_deprovisioning: 'bad',
  resizing: 'busy',
  quarantined: 'bad',
} as const satisfies Record<ToolboxStatus, Tone>

type Seen = Pick<Toolbox, 'status' | 'suspect' | 'connected' | 'docker'>

/** An active toolbox that has gone quiet, whose Docker is gone, or that does not keep tools apart is not shown as well. */
export function toneOfToolbox({ status, suspect, docker }: Seen): Tone {
  if (status !== 'active') return TONES[status]
  const isUnwell = docker !== undefined && (docker.state !== 'ok' || degradedBy(docker) !== undefined)
  return suspect || isUnwell ? 'warn' : 'ok'
}

/** What keeps its tools apart, and away from its machine, is not all there. `undefined`: it is. */
export function degradedBy({ isolation, confinement }: NonNullable<Seen['docker']>): string | undefined {
  const held = 'What runs goes on; no tool with a network is started until this is over.'
  if (isolation?.state === 'failed') return `A tool could reach ${isolation.leaks.join(', ')}. ${held}`
  const { firewall } = isolation ?? {}
  if (firewall?.state === 'missing') return `The firewall of its tools is missing: ${firewall.message}. ${held}`
  return confinement?.seccomp === 'none'
    ? 'Its Docker filters no system calls of tools (seccomp). They run on; its diagnostics say what to do.'
    : undefined
}

/** How the tools are kept apart, in a few words. */
export function isolationWords({ state, firewall }: NonNullable<NonNullable<Seen['docker']>['isolation']>): string {
  const probed = { unproven: 'being probed', ok: 'proven', failed: 'no' }[state]
  return firewall === undefined ? probed : `${probed}; firewall ${firewall.state}`
}

/** The status in the product's words. */
export function statusWords({ status, suspect, docker }: Seen): string {
  const words = status.replaceAll('_', ' ')
  if (status !== 'active') return words
  if (suspect) return 'active, but silent'
  if (docker && docker.state !== 'ok') return `active, Docker ${docker.state}`
  if (docker && degradedBy(docker) !== undefined) return 'active, degraded'
  return words
}

/** What the status means, when the control plane gave no reason of its own. */
export const STATUS_MEANING = {
  pending_provision: 'Recorded. A reconciler will make the machine.',
  provisioning: 'The machine is being made.',
  awaiting_heartbeat: 'The machine is there. The first heartbeat of its DTMA is awaited.',
  active: 'Heartbeats arrive.',
  unresponsive: 'No heartbeat for 60 seconds. Its tools keep running if the machine does.',
  error_provisioning: 'The machine could not be made.',
  lost: 'The machine does not exist any more.',
  pending_deprovision: 'Recorded. A reconciler will give the machine back.',
  deprovisioning: 'The machine is being given back.',
  deprovisioned: 'The machine is confirmed gone. Its history stays.',
  error_deprovisioning: 'The machine could not be given back.',
  resizing: 'The machine is being resized.',
  quarantined: 'Two machines claimed to be this toolbox. Neither is trusted.',
} as const satisfies Record<ToolboxStatus, string>

export const PROVIDER_WORDS = {
  digitalocean: 'DigitalOcean',
  ssh: 'SSH',
  join: 'Enrolled',
  local: 'This machine',
} as const satisfies Record<Provider, string>

/** How wrong the clock of a toolbox is. */
export const skewWords = (seconds: number): string =>
  `${spanOf(Math.abs(seconds) * 1_000)} ${seconds > 0 ? 'ahead' : 'behind'}`

export const toneOfObservation = (code: ObservationCode): Tone =>
  code === 'reachable' ? 'ok' : code === 'never_connected' ? 'busy' : code === 'stopped' ? 'warn' : 'bad'

/** In order of urgency: what needs somebody comes first. */
const URGENCY = { bad: 0, warn: 1, busy: 2, ok: 3, idle: 4 } as const satisfies Record<Tone, number>

export const byUrgency = (a: Toolbox, b: Toolbox): number =>
  URGENCY[toneOfToolbox(a)] - URGENCY[toneOfToolbox(b)] || a.name.localeCompare(b.name)

/** The state of the fleet in one line. */
export function fleetHeadline(toolboxes: readonly Toolbox[]): { readonly title: string; readonly tone: Tone } {
  const present = toolboxes.filter(({ status }) => status !== 'deprovisioned')
  const worst = present.toSorted(byUrgency)[0]
  if (!worst) return { title: 'No toolbox yet', tone: 'idle' }
  const tone = toneOfToolbox(worst)
  const alike = present.filter((toolbox) => toneOfToolbox(toolbox) === tone)
  if (tone === 'ok') return { title: present.length === 1 ? `${worst.name} is well` : 'All toolboxes are well', tone }
  const who = alike.length === 1 ? worst.name : `${alike.length} toolboxes`
  const [needs, gets] = alike.length === 1 ? ['needs', 'is getting'] : ['need', 'are getting']
  return { title: tone === 'busy' ? `${who} ${gets} ready` : `${who} ${needs} a look`, tone }
}
