import { type Direct, ProblemError } from '@agentopia/api'
import { type Client, DTMA_PORT, getStatus } from '@agentopia/dtma/contract'
import { evidenceOfDial, SUMMARY_OF_FAULT, stepOfFault } from '../toolboxes/diagnose-direct.ts'
import { evidenceOf, isUnreadable } from '../toolboxes/no-answer.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { DialError, type DialFault } from '../uplink/direct/dial.ts'
import { type RoadFailure, roadOf } from './road-change.step.ts'

/** With a name to look up, a connection and TLS before the question. */
const ANSWER_MS = 9_000
/** These stay as they are, however often it is tried. */
const FINAL: readonly DialFault[] = ['forbidden', 'pin_mismatch']

/**
 * Asks DTMA for its status by a road that is not in use yet, with the key of the toolbox and to the key that it enrolled with.
 * @param toolbox As it will be when that road is in use.
 * @returns Why it cannot be used; `undefined`: it is proven.
 */
export async function tryRoad(
  toolbox: ToolboxRow,
  clientOf: (toolbox: ToolboxRow) => Client,
  signal: AbortSignal,
): Promise<RoadFailure | undefined> {
  const limit = AbortSignal.timeout(ANSWER_MS)
  try {
    const status = await clientOf(toolbox).call(getStatus, {}, { signal: AbortSignal.any([signal, limit]) })
    return status.toolboxId === undefined || status.toolboxId === toolbox.id ? undefined : another(toolbox, status)
  } catch (error) {
    if (signal.aborted) throw error
    return failureOf(toolbox, error, limit.aborted)
  }
}

function another(toolbox: ToolboxRow, { toolboxId }: { toolboxId?: string | undefined }): RoadFailure {
  return {
    reason: 'identity_mismatch',
    message: 'Another toolbox answers there',
    evidence: [...wayTo(toolbox), `it says that it is ${toolboxId}`],
    nextStep: 'Correct the address of the toolbox.',
    isFinal: true,
  }
}

function failureOf(toolbox: ToolboxRow, error: unknown, isLate: boolean): RoadFailure {
  const { direct } = toolbox
  const cause = error instanceof ProblemError ? error.cause : undefined
  if (direct && cause instanceof DialError) return undialled(toolbox, direct, cause)
  const isRefused = error instanceof ProblemError && error.code !== 'toolbox-unreachable'
  const detail = isLate ? `GET /status had no answer within ${ANSWER_MS} ms` : evidenceOf(cause ?? error)
  const nothing = isUnreadable(error) ? 'incompatible' : NOT_OPEN[roadOf(toolbox)]
  const answered = isRefused ? error.code : nothing
  return {
    reason: isLate ? 'not_answering' : answered,
    message: direct ? 'DTMA does not answer at its address as it should' : 'No tunnel came up that DTMA answers in',
    evidence: [...wayTo(toolbox), isRefused ? `GET /status: ${error.message}` : detail],
    nextStep: direct
      ? 'Look at what is between the control plane and the port: a proxy or a load balancer may take the connection.'
      : 'Let the machine open WebSockets to the address of the control plane: a proxy or a firewall on its way out may refuse them.',
    isFinal: false,
  }
}

const NOT_OPEN = { direct: 'broken', tunnel: 'no_tunnel' } as const

function undialled(toolbox: ToolboxRow, direct: Direct, { fault, message }: DialError): RoadFailure {
  return {
    reason: fault,
    message: SUMMARY_OF_FAULT[fault],
    evidence: evidenceOfDial(placeOf(toolbox, direct), fault, message),
    nextStep: stepAfter(fault, direct.port),
    isFinal: FINAL.includes(fault),
  }
}

/** DTMA was just told to listen there: what is wrong is on the way. */
function stepAfter(fault: DialFault, port: number): string {
  if (fault === 'no_connection')
    return `Open port ${port} of the machine towards the control plane in every firewall between, and check the address.`
  if (fault === 'refused')
    return `Check the address and the port. A router in between must forward port ${port}; a container with a network of its own must publish it (\`docker run -p ${port}:${DTMA_PORT}\`).`
  return stepOfFault(fault, true)
}

const wayTo = (toolbox: ToolboxRow): string[] =>
  toolbox.direct
    ? evidenceOfDial(placeOf(toolbox, toolbox.direct), undefined, undefined)
    : ['tunnel that DTMA dials to the control plane']

function placeOf({ publicIpAddress, publicKey }: ToolboxRow, { address, port, plainHttp }: Direct) {
  const host = publicKey === null ? undefined : (address ?? publicIpAddress ?? undefined)
  return { port, plainHttp, ...(host ? { host } : {}) }
}
