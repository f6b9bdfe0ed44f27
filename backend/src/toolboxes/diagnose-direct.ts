import type { ObservationCode } from '@agentopia/api'
import type { DialFault } from '../uplink/direct/dial.ts'

/** The direct road, as far as one look got on it. */
export interface DirectFacts {
  /** Absent: nobody knows its address, or it has not enrolled. */
  readonly host?: string
  readonly port: number
  readonly plainHttp: boolean
  /** The provider says another address than the one that was known; that is the one that was dialled. */
  readonly movedFrom?: string
}

/** What the end of a dial says about the toolbox. */
export const CODE_OF_FAULT = {
  unresolved: 'unreachable',
  forbidden: 'unreachable',
  refused: 'unreachable',
  no_connection: 'unreachable',
  no_tls: 'incompatible',
  pin_mismatch: 'identity_mismatch',
} as const satisfies Record<DialFault, ObservationCode>

export const SUMMARY_OF_FAULT = {
  unresolved: 'The name of its address leads nowhere',
  forbidden: 'This control plane may not dial its address',
  refused: 'Its machine is there, but nothing listens at the port of DTMA',
  no_connection: 'Nothing comes back from its address',
  no_tls: 'Something listens at its port, but does not speak TLS as DTMA does',
  pin_mismatch: 'Another machine is at its address: nothing was sent to it',
} as const satisfies Record<DialFault, string>

/** Two texts, because a toolbox that still reports is alive: then it is the way to it that is missing. */
const STEP_OF_FAULT = {
  unresolved: 'Correct the name in the DNS, or the address of the toolbox.',
  forbidden: 'Start the control plane with DIRECT_ADDRESSES=private, or give the toolbox a public address.',
  refused:
    'Start DTMA on the toolbox. If it runs, somebody has set DTMA_ROAD=tunnel there: take that back, or change the road of the toolbox to the tunnel.',
  no_connection:
    'Look whether the machine runs; then open its port towards the control plane in every firewall between.',
  no_tls: 'Stop what listens at that port, or update DTMA on the toolbox.',
  pin_mismatch: 'Correct the address of the toolbox; if it is right and the machine is new, enrol it anew.',
} as const satisfies Record<DialFault, string>

export function stepOfFault(fault: DialFault, reports: boolean): string {
  if (reports && fault === 'no_connection')
    return 'DTMA reports, so the machine runs: open its port towards the control plane in every firewall between.'
  return STEP_OF_FAULT[fault]
}

const AT_THE_PORT: readonly DialFault[] = ['unresolved', 'forbidden', 'refused', 'no_connection']

/** What was found at the address, at the port and of the key, in this order; it ends where the way ended. */
export function evidenceOfDial(
  direct: DirectFacts,
  fault: DialFault | undefined,
  detail: string | undefined,
): string[] {
  const { host, port, plainHttp, movedFrom } = direct
  if (host === undefined) return ['direct road: no address is known yet, or it has not enrolled']
  const evidence = [
    movedFrom === undefined
      ? `direct road to ${host}, port ${port}`
      : `direct road to ${host}, port ${port}; its address was ${movedFrom}`,
  ]
  if (fault && AT_THE_PORT.includes(fault)) return [...evidence, `port: ${detail}`]
  evidence.push(`port ${port} accepts connections`)
  if (fault) return [...evidence, `key: ${detail}`]
  return [
    ...evidence,
    plainHttp ? 'plain HTTP, as configured: no key was checked' : 'its key is the one that it enrolled with',
  ]
}
