import { createClient } from '../contract/index.ts'
import type { Log } from '../log.ts'
import type { Clock } from './clock.ts'
import { type EnrolmentDeps, enrolOnce, enrolUntilDone, whyNot } from './enrolment.ts'
import { type Report, startHeartbeats } from './heartbeats.ts'
import { httpFetch } from './http-fetch.ts'
import type { Credentials, Identity } from './identity.ts'
import { pinnedFetch } from './pinned-fetch.ts'
import type { Pins } from './pinned-tls.ts'
import { runTunnel, type TunnelListener } from './tunnel.ts'

export interface UplinkDeps {
  /** Origin of the control plane: AGENTOPIA_API_BASE_URL. */
  readonly baseUrl: string
  /** Of its TLS key; absent: the authorities are trusted. */
  readonly pins?: Pins | undefined
  /** `undefined` when the two credentials were given instead. */
  readonly enrolment:
    | {
        readonly identity: Identity
        readonly toolboxId: string
        readonly token: () => string | undefined
        readonly machine: { readonly hostname: string; readonly os: string; readonly arch: string }
      }
    | undefined
  /** DTMA_BEARER_TOKEN and BACKEND_TO_DTMA_API_KEY, when they were given. */
  readonly given: Pick<Credentials, 'dtmaBearerToken'> | undefined
  /** Told the credentials, at start and whenever they change: the door of the API needs the key. */
  readonly onCredentials: (credentials: Credentials) => void
  readonly report: () => Report
  /** Serves the tunnel; absent: none is dialled, the control plane comes to our port. */
  readonly listener: TunnelListener | undefined
  readonly runId: string
  readonly version: string
  readonly log: Log
  readonly clock: Clock
}

export interface Uplink {
  /** Whether the control plane has heard the last heartbeat. */
  readonly heard: boolean
  /** The report has changed. */
  wake(): void
  /** Resolves when the goodbye is said. Never rejects. */
  readonly stopped: Promise<void>
}

/** After the control plane refused our credentials: it may be a restored one, or a revocation. Look again at this pace. */
const REFUSED_MS = 60_000

/** Everything that DTMA says to the control plane: enrolment, then heartbeats and the tunnel side by side, until `signal` aborts. */
export function startUplink(deps: UplinkDeps, signal: AbortSignal): Uplink {
  const { baseUrl, pins, enrolment, given, log, clock, runId, version, report, listener } = deps
  const fetch = pins ? pinnedFetch(pins) : httpFetch
  let wake = () => {}
  let heard = () => false

  /** @param refused The ones that we hold were refused: a token that they did not come from is tried. */
  async function credentials(refused: boolean): Promise<Pick<Credentials, 'dtmaBearerToken'> | undefined> {
    if (given) return given
    if (!enrolment) return undefined
    const { identity, toolboxId } = enrolment
    const enrolmentDeps: EnrolmentDeps = {
      ...enrolment,
      client: createClient({ baseUrl, fetch }),
      version,
      log,
      clock,
    }
    const held = identity.credentials()
    if (held?.toolboxId !== toolboxId) return announced(await enrolUntilDone(enrolmentDeps, signal))
    const token = refused ? enrolment.token() : undefined
    if (token === undefined || identity.cameFrom(token)) return announced(held)
    const anew = enrolOnce(enrolmentDeps, signal).catch((error: unknown) => {
      log.warn('enrolment with the new token failed', whyNot(error))
      return held
    })
    return announced(await anew)
  }

  function announced(received: Credentials | undefined): Credentials | undefined {
    if (received) deps.onCredentials(received)
    return received
  }

  /** @returns When the session has ended: stopped, or refused by the control plane. */
  async function session(token: string): Promise<'stopped' | 'superseded' | 'unauthenticated'> {
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    const heartbeats = startHeartbeats(
      { client: createClient({ baseUrl, token, fetch }), runId, version, report, log, clock },
      either,
    )
    wake = heartbeats.wake
    heard = () => heartbeats.heard
    const tunnel = listener && runTunnel({ baseUrl, pins, token: () => token, runId, listener, log, clock }, either)
    const ends = tunnel === undefined ? [heartbeats.ended] : [heartbeats.ended, tunnel]
    const end = await Promise.race(ends)
    over.abort()
    await Promise.all(ends)
    return end
  }

  async function run(): Promise<void> {
    let refused = false
    while (!signal.aborted) {
      const held = await credentials(refused)
      if (!held) return
      const startedAt = clock.now()
      const end = await session(held.dtmaBearerToken)
      if (end === 'superseded')
        return log.error(
          'another DTMA with this identity has taken over; this one no longer reports. Restart it to take over again',
          { runId },
        )
      if (end === 'stopped') return
      if (!refused || clock.now() - startedAt > REFUSED_MS)
        log.error('the control plane does not accept our credentials; they are tried again each minute', {
          fix: given
            ? 'Set DTMA_BEARER_TOKEN to the present one of this toolbox and restart DTMA.'
            : 'Create a new enrolment token for this toolbox and put it where ENROLMENT_TOKEN_FILE points.',
        })
      refused = true
      await clock.sleep(REFUSED_MS, signal)
    }
  }

  return {
    get heard() {
      return heard()
    },
    wake: () => wake(),
    stopped: run(),
  }
}
