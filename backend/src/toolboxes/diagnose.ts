import type { Observation, ObservationCode } from '@agentopia/api'
import { API_VERSION, type DtmaStatus, type Isolation } from '@agentopia/dtma/contract'
import type { Machine } from '../providers/provider.ts'
import type { DialFault } from '../uplink/direct/dial.ts'
import { CODE_OF_FAULT, type DirectFacts, evidenceOfDial, SUMMARY_OF_FAULT, stepOfFault } from './diagnose-direct.ts'
import { lackingIn } from './needed-operations.ts'

/** How a tunnel ended: DTMA said goodbye, it stopped answering pings, it was replaced or revoked by us, or the connection broke. */
export type CloseCause = 'goodbye' | 'silent' | 'superseded' | 'revoked' | 'broken'

/** What is known of the connection of a toolbox. `lastClose` is absent when this process has seen none. */
export type TunnelFacts =
  | { readonly open: true; readonly since: Date }
  | {
      readonly open: false
      readonly lastClose?: { readonly at: Date; readonly code: number; readonly cause: CloseCause }
    }

/** What came back when DTMA was asked for its status. */
export type Answer =
  | { readonly kind: 'status'; readonly status: DtmaStatus; readonly ms: number }
  /** It refused. `health`: what it says about itself without a key. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly code: string; readonly health?: string }
  /** It answered something that is not in the contract. */
  | { readonly kind: 'unreadable'; readonly detail: string }
  | { readonly kind: 'deadline'; readonly ms: number }
  /** By the direct road: it did not come to a connection. */
  | { readonly kind: 'undialled'; readonly fault: DialFault; readonly detail: string }
  /** The connection broke while it was asked. */
  | { readonly kind: 'broken'; readonly detail: string }

/** Everything that one look found out. */
export interface Facts {
  readonly toolboxId: string
  readonly enrolled: boolean
  readonly lastHeartbeatAt?: Date
  readonly tunnel: TunnelFacts
  /** Set when the toolbox is reached by the direct road. */
  readonly direct?: DirectFacts
  /** Heartbeats come in, whatever the way to it says. */
  readonly reports?: boolean
  /** Absent when there was no way to ask. */
  readonly answer?: Answer
  /** What the provider knows of the machine; absent when it cannot know. `absent`: it is gone; `unmade`: there is none yet. */
  readonly machine?: Machine | 'absent' | 'unmade'
  /** What to do when the machine is absent, when the provider knows. */
  readonly absentRemedy?: string
  /** Why the provider could not say, when it could not. */
  readonly providerFailure?: string
  readonly previous?: Pick<Observation, 'code' | 'observedAt'>
}

export type Diagnosis = Pick<Observation, 'code' | 'summary' | 'evidence' | 'nextStep'>

/** Names what is wrong with a toolbox, or that nothing is. Decides; touches nothing; every input has an answer. */
export function diagnose(facts: Facts): Diagnosis {
  const code = codeOf(facts)
  const nextStep = nextStepOf(code, facts)
  return { code, summary: summaryOf(code, facts), evidence: evidenceOf(facts), ...(nextStep ? { nextStep } : {}) }
}

/** The diagnosis as an observation; the time since when is kept while the code stays the same. */
export function observationOf(diagnosis: Diagnosis, previous: Observation | null, now: Date): Observation {
  const observedAt = now.toISOString()
  return { ...diagnosis, since: previous?.code === diagnosis.code ? previous.since : observedAt, observedAt }
}

function codeOf(facts: Facts): ObservationCode {
  const { answer, toolboxId } = facts
  switch (answer?.kind) {
    case 'status':
      return codeOfStatus(answer.status, toolboxId)
    case 'refused':
      return codeOfRefusal(answer.httpStatus, answer.code)
    case 'unreadable':
      return 'incompatible'
    case 'deadline':
      return 'not_answering'
    case 'undialled':
      return codeOfFault(answer.fault, facts)
    default:
      return codeOfSilence(facts)
  }
}

function codeOfStatus(status: DtmaStatus, expected: string): ObservationCode {
  const { toolboxId, apiVersion, docker } = status
  if (toolboxId !== undefined && toolboxId !== expected) return 'identity_mismatch'
  if (apiVersion !== API_VERSION || lackingIn(status).length > 0) return 'incompatible'
  if (docker.state === 'down') return 'docker_down'
  return docker.state === 'hung' ? 'docker_hung' : 'reachable'
}

function codeOfRefusal(httpStatus: number, code: string): ObservationCode {
  if (httpStatus === 401 || httpStatus === 403 || code === 'unconfigured') return 'unauthorized'
  return httpStatus < 500 ? 'incompatible' : 'not_answering'
}

/** The provider may know that its owner stopped it. */
function codeOfFault(fault: DialFault, { machine }: Facts): ObservationCode {
  if (fault === 'pin_mismatch' || typeof machine !== 'object' || machine.state === 'running')
    return CODE_OF_FAULT[fault]
  if (machine.state === 'paused') return 'not_answering'
  return machine.state === 'stopped' && endedOnPurpose(machine) ? 'stopped' : CODE_OF_FAULT[fault]
}

/** Nothing was answered: how the connection ended and what became of the machine tell why. */
function codeOfSilence({ tunnel, machine, lastHeartbeatAt, previous, direct }: Facts): ObservationCode {
  const lastClose = tunnel.open ? undefined : tunnel.lastClose
  const found = typeof machine === 'object' ? machine : undefined
  if (found?.state === 'paused') return 'not_answering'
  if (direct) return lastHeartbeatAt ? 'unreachable' : 'never_connected'
  if (!lastClose && !lastHeartbeatAt) return 'never_connected'
  if (lastClose?.cause === 'goodbye') return startedAfter(found, lastClose.at) ? 'unreachable' : 'stopped'
  if (lastClose?.cause === 'revoked') return 'unauthorized'
  if (found?.state === 'stopped') return endedOnPurpose(found) ? 'stopped' : 'unreachable'
  if (lastClose?.cause === 'silent') return 'not_answering'
  return (!lastClose && rememberedCode(previous, lastHeartbeatAt)) || 'unreachable'
}

/** What runs and was started later than the goodbye came back, and has not connected. */
const startedAfter = (found: Machine | undefined, goodbye: Date): boolean =>
  found?.state === 'running' && found.startedAt !== undefined && found.startedAt > goodbye

/** An orderly exit, or one by the signal that asks for it. */
export const endedOnPurpose = ({ exit }: Machine): boolean => exit?.code === 0 || exit?.code === 143

const SILENT_CODES: readonly ObservationCode[] = ['stopped', 'unreachable', 'not_answering', 'unauthorized']

/** After our own restart the cause of an earlier silence is known from before, if nothing was heard since. */
function rememberedCode(previous: Facts['previous'], lastHeartbeatAt: Date | undefined): ObservationCode | undefined {
  if (!previous || !SILENT_CODES.includes(previous.code)) return undefined
  return lastHeartbeatAt && lastHeartbeatAt > new Date(previous.observedAt) ? undefined : previous.code
}

function summaryOf(code: ObservationCode, facts: Facts): string {
  const { answer, machine } = facts
  if (answer?.kind === 'undialled' && CODE_OF_FAULT[answer.fault] === code) return SUMMARY_OF_FAULT[answer.fault]
  if (!answer && machine === 'unmade') return 'Its machine is not made yet'
  if (!answer && SILENT_CODES.includes(code) && code !== 'unauthorized') {
    if (machine === 'absent') return 'Its machine does not exist any more'
    const silence = silenceOf(code, facts)
    if (silence) return silence.summary
  }
  switch (code) {
    case 'reachable':
      return summaryOfReachable(answer?.kind === 'status' ? answer.status.docker.isolation : undefined)
    case 'docker_down':
      return 'DTMA answers, but Docker on the toolbox does not run'
    case 'docker_hung':
      return 'DTMA answers, but Docker on the toolbox accepts requests and never answers'
    case 'stopped':
      return 'DTMA was stopped on purpose'
    case 'unreachable':
      return typeof machine === 'object' && machine.state === 'running'
        ? 'DTMA runs, but is not connected'
        : 'The connection broke without a goodbye'
    case 'not_answering':
      if (typeof machine === 'object' && machine.state === 'paused')
        return 'DTMA is paused: it exists, but does nothing'
      return answer?.kind === 'refused' ? 'DTMA answers that it failed' : 'DTMA is there, but nothing comes back'
    case 'unauthorized':
      return 'DTMA does not accept the key of the control plane, or lost its own'
    case 'identity_mismatch':
      return 'DTMA answers as another toolbox'
    case 'incompatible':
      return answer?.kind === 'status' && answer.status.apiVersion === API_VERSION
        ? 'DTMA lacks operations that the control plane needs'
        : 'DTMA speaks another version than the control plane'
    case 'never_connected':
      return 'DTMA has not connected yet'
  }
}

function summaryOfReachable(isolation: Isolation | undefined): string {
  if (isolation?.state === 'failed')
    return 'DTMA answers, but its Docker does not keep tools apart: none with a network is started'
  if (isolation?.firewall?.state === 'missing')
    return 'DTMA answers, degraded: the firewall of its tools is missing, and none with a network is started'
  return 'DTMA answers, and its Docker works'
}

function evidenceOf(facts: Facts): string[] {
  const { lastHeartbeatAt, answer, machine, providerFailure, direct } = facts
  const atProvider = [
    ...(typeof machine === 'object' ? [machine.description] : machine ? [NO_MACHINE[machine]] : []),
    ...(providerFailure ? [providerFailure] : []),
  ]
  const heard = lastHeartbeatAt ? [`last heartbeat at ${lastHeartbeatAt.toISOString()}`] : []
  const answered = answer ? evidenceOfAnswer(answer) : []
  if (!direct) return [...answered, evidenceOfTunnel(facts), ...atProvider, ...heard]
  const undialled = answer?.kind === 'undialled' ? answer : undefined
  return [...atProvider, ...evidenceOfDial(direct, undialled?.fault, undialled?.detail), ...answered, ...heard]
}

const NO_MACHINE = {
  absent: 'its provider knows no such machine any more',
  unmade: 'its provider has made no machine for it yet',
} as const

function evidenceOfTunnel({ tunnel, enrolled }: Facts): string {
  if (tunnel.open) return `tunnel open since ${tunnel.since.toISOString()}`
  if (!tunnel.lastClose) return enrolled ? 'no tunnel since the control plane started' : 'not enrolled yet'
  const { code, cause, at } = tunnel.lastClose
  return `tunnel closed with code ${code} (${CAUSES[cause]}) at ${at.toISOString()}`
}
const CAUSES = {
  goodbye: 'DTMA said goodbye',
  silent: 'pings were not answered',
  superseded: 'a newer run took over',
  revoked: 'its credential was revoked',
  broken: 'no goodbye',
} as const satisfies Record<CloseCause, string>

function evidenceOfAnswer(answer: Answer): string[] {
  switch (answer.kind) {
    case 'status': {
      const { version, apiVersion, docker, toolboxId } = answer.status
      const lacking = lackingIn(answer.status)
      return [
        `round trip ${Number(answer.ms.toFixed(answer.ms < 10 ? 1 : 0))} ms`,
        `DTMA ${version}, API version ${apiVersion}${toolboxId ? `, toolbox ${toolboxId}` : ''}`,
        ...(lacking.length > 0 ? [`it lacks ${lacking.join(', ')}`] : []),
        `Docker ${docker.state}${docker.version ? ` (${docker.version})` : ''}${docker.message ? `: ${docker.message}` : ''}`,
        ...(docker.isolation ? isolationIn(docker.isolation) : []),
      ]
    }
    case 'refused':
      return [
        `GET /status answered HTTP ${answer.httpStatus} (${answer.code})`,
        ...(answer.health ? [`GET /health without a key: ${answer.health}`] : []),
      ]
    case 'unreadable':
      return [`GET /status answered outside the contract: ${answer.detail}`]
    case 'deadline':
      return [`GET /status had no answer within ${answer.ms} ms`]
    case 'undialled':
      return []
    case 'broken':
      return [`GET /status broke off: ${answer.detail}`]
  }
}

function isolationIn({ state, checkedAt, leaks, firewall }: Isolation): string[] {
  const found = state === 'ok' ? 'nothing that it must not' : leaks.join(', ')
  return [
    state === 'unproven'
      ? 'whether tools are kept apart is being probed'
      : `a tool could reach ${found}${checkedAt ? `, probed at ${checkedAt}` : ''}`,
    ...(firewall
      ? [`its firewall is ${firewall.state} since ${firewall.since}${firewall.message ? `: ${firewall.message}` : ''}`]
      : []),
  ]
}

/** What the silence of such a machine means; a DTMA that said goodbye and whose machine runs is no riddle. */
function silenceOf(code: ObservationCode, { machine, tunnel }: Facts) {
  if (typeof machine !== 'object' || tunnel.open || (code === 'stopped' && machine.state === 'running'))
    return undefined
  return machine.silence?.[tunnel.lastClose?.cause === 'silent' || code === 'not_answering' ? 'silent' : 'broken']
}

function nextStepOf(code: ObservationCode, facts: Facts): string | undefined {
  const { toolboxId, machine, tunnel, answer, absentRemedy, reports = false } = facts
  if (code === 'reachable') return undefined
  const found = typeof machine === 'object' ? machine : undefined
  if (answer?.kind === 'undialled') {
    const off = found && found.state !== 'running'
    return (off && answer.fault !== 'pin_mismatch' && found.remedy) || stepOfFault(answer.fault, reports)
  }
  if (machine === 'unmade' && !tunnel.open) return UNMADE_STEP
  if (machine === 'absent' && !tunnel.open && absentRemedy) return absentRemedy
  const ending = code === 'stopped' && found?.state === 'running'
  const machineExplains = !ending && (!tunnel.open || found?.state === 'paused')
  if (ending) return `Start DTMA on the machine again (\`docker start agentopia-dtma-${toolboxId}\`), or reboot it.`
  const silence = SILENT_CODES.includes(code) && code !== 'unauthorized' ? silenceOf(code, facts) : undefined
  return silence?.remedy ?? ((machineExplains && found?.remedy) || NEXT_STEPS[code])
}

const UNMADE_STEP =
  'Wait while it is made. If that has failed, its status says why, and “Try again” under Provisioning asks for another.'

const NEXT_STEPS = {
  docker_down: 'Start Docker on the toolbox (`systemctl start docker`); DTMA notices by itself.',
  docker_hung: 'Restart Docker on the toolbox (`systemctl restart docker`).',
  stopped: 'Start DTMA on the toolbox again.',
  unreachable: 'Look whether the machine runs, has network, and runs DTMA; DTMA connects again by itself.',
  not_answering: 'Look at the machine: resume DTMA if it is paused, or restart it.',
  unauthorized: 'Enrol the toolbox anew: both sides then get new keys.',
  identity_mismatch: 'Only one DTMA may run with an identity: stop the copy, or enrol this machine anew.',
  incompatible: 'Update DTMA on the toolbox to the version of the control plane.',
  never_connected: 'Wait for the machine to start; if it has, read the log of DTMA on it.',
} as const satisfies Record<Exclude<ObservationCode, 'reachable'>, string>
