import { type Client, challenge, ProblemError, renew, renewalText } from '../contract/index.ts'
import type { Log } from '../log.ts'
import { type Clock, jitteredBackoffMs } from './clock.ts'
import { whyNot } from './enrolment.ts'
import type { Identity } from './identity.ts'

/** How a renewal ended. */
type RenewalEnd =
  | 'renewed'
  /** The control plane did not answer, or not in a way that says anything: the credential may still be good. */
  | 'unknown'
  /** It is none of ours any more, or nobody there renews anything. */
  | 'refused'
  /** Another machine holds our identity too: both are locked out. */
  | 'quarantined'

export interface Renewals {
  /** Renews when it is time; what comes of it is shown by the next heartbeat. */
  renewIfDue(signal: AbortSignal): Promise<RenewalEnd | 'not-due'>
  renewNow(signal: AbortSignal): Promise<RenewalEnd>
}

export interface RenewalDeps {
  /** Without a token: the key of the enrolment signs. */
  readonly client: Pick<Client, 'call'>
  readonly identity: Identity
  readonly runId: string
  /** Told the pins of the control plane's TLS key, present and next, when it has some. */
  readonly onPins: (pins: readonly string[]) => void
  readonly log: Log
  readonly clock: Clock
}

const DEADLINE_MS = 10_000
const LONGEST_RETRY_MS = 60_000
/** A control plane that knows no renewals is asked again after so long: it may have been updated. */
const UNKNOWN_THERE_MS = 60 * 60_000

/** Renews DTMA_BEARER_TOKEN: at the start of each run, and then as often as the control plane says. */
export function createRenewals({ client, identity, runId, onPins, log, clock }: RenewalDeps): Renewals {
  let dueAt = clock.steady()
  let failures = 0

  async function renewNow(signal: AbortSignal): Promise<RenewalEnd> {
    try {
      const inTime = { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) }
      const { toolboxId, epoch } = identity.credentials()!
      const asked = await client.call(challenge, { body: { toolboxId } }, inTime)
      const said = { toolboxId, epoch, ...identity.nextRenewal(), runId, challenge: asked.challenge }
      const signature = identity.sign(renewalText(said))
      const { renewInSeconds, pins, ...renewal } = await client.call(renew, { body: { ...said, signature } }, inTime)
      identity.renewed(renewal)
      if (pins) onPins(pins)
      failures = 0
      dueAt = clock.steady() + renewInSeconds * 1_000 * (0.8 + 0.2 * clock.random())
      return 'renewed'
    } catch (error) {
      return judged(error, signal)
    }
  }

  function judged(error: unknown, signal: AbortSignal): RenewalEnd {
    failures += 1
    dueAt = clock.steady() + Math.min(jitteredBackoffMs(failures, clock.random), LONGEST_RETRY_MS)
    const code = error instanceof ProblemError ? error.code : undefined
    if (code === 'quarantined') return 'quarantined'
    if (error instanceof ProblemError && error.kind.status === 404) dueAt = clock.steady() + UNKNOWN_THERE_MS
    else if (failures === 1 && !signal.aborted) log.warn('the credential was not renewed', whyNot(error))
    return error instanceof ProblemError && !error.kind.retryable ? 'refused' : 'unknown'
  }

  return { renewNow, renewIfDue: async (signal) => (clock.steady() < dueAt ? 'not-due' : renewNow(signal)) }
}
