import { type Answer, createClient, type Fetch, ProblemError } from '../contract/index.ts'
import type { PackageIndexes } from '../contract/uplink.ts'
import { createTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'
import type { TunnelSwitch } from '../road/tunnel-switch.ts'
import type { Clock } from './clock.ts'
import { type EnrolmentDeps, enrolOnce, enrolUntilDone, whyNot } from './enrolment.ts'
import { type HeartbeatEnd, type Report, startHeartbeats } from './heartbeats.ts'
import { httpFetch } from './http-fetch.ts'
import type { Credentials, Identity } from './identity.ts'
import { pinnedFetch } from './pinned-fetch.ts'
import type { Pins } from './pinned-tls.ts'
import { createRenewals } from './renewals.ts'
import { runTunnel, type TunnelListener } from './tunnel.ts'
import { createTunnelBeats } from './tunnel-beats.ts'

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
  /** The key of the identity is another one: the port shows it from now on. */
  readonly onKey: () => void
  readonly report: () => Report
  /** Told where packages come from. */
  readonly onPackages?: ((said: PackageIndexes) => Promise<void>) | undefined
  /** Serves the tunnel; absent: none is dialled. */
  readonly listener: TunnelListener | undefined
  /** When a tunnel is dialled; absent: always. */
  readonly tunnelSwitch?: Pick<TunnelSwitch, 'whileOn'>
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
  /**
   * Begins to trade this token for other credentials, with a fresh key, beside whatever runs with the present ones. It is stored
   * before this returns, so that it goes on after a restart. @throws {Error} When it cannot be stored.
   */
  enrolAnew(token: string): void
  /** Resolves when the goodbye is said. Never rejects. */
  readonly stopped: Promise<void>
}

/** After the control plane refused our credentials: it may be a restored one, or a revocation. Look again at this pace. */
const REFUSED_MS = 60_000
/** The control plane went away while it refused us. */
const UNKNOWN_MS = 5_000
/** The answer to whoever handed us a token goes out first: an enrolment ends his connection. */
const ANSWER_MS = 200

/** Everything that DTMA says to the control plane: enrolment, then heartbeats and the tunnel side by side, until `signal` aborts. */
export function startUplink(deps: UplinkDeps, signal: AbortSignal): Uplink {
  const { baseUrl, pins: configured, enrolment, given, log, clock, runId, version, report, onPackages, listener } = deps
  const { tunnelSwitch } = deps
  let pins = configured && [...(enrolment?.identity.learnedPins(configured) ?? configured)]
  const fetch: Fetch<Answer> = (url, init) => (pins ? pinnedFetch(pins) : httpFetch)(url, init)
  /** What runs out is renewed with the key; what was given is not ours to renew. */
  const renewals =
    enrolment && !given
      ? createRenewals({
          client: createClient({ baseUrl, fetch }),
          identity: enrolment.identity,
          runId,
          onPins: learnPins,
          log,
          clock,
        })
      : undefined
  let wake = () => {}
  let heard = () => false
  /** One enrolment at a time: of two replies, the one that is stored last would not always be the one that counts. */
  const turn = createTurn()

  /** The next key of the control plane is learned over the connection that the present one vouches for. */
  function learnPins(learned: readonly string[]): void {
    if (!configured || !enrolment) return
    enrolment.identity.learnPins(configured, learned)
    pins = [...learned]
  }

  const credentials = (seek: boolean) => turn.take(() => credentialsNow(seek))

  /** @param seek A token that those that we hold did not come from is tried: we just began, or they were refused. */
  async function credentialsNow(seek: boolean): Promise<Pick<Credentials, 'dtmaBearerToken'> | undefined> {
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
    const handed = identity.handedToken()
    const token = seek ? (handed ?? enrolment.token()) : undefined
    if (token === undefined || identity.cameFrom(token)) return announced(held)
    const anew = enrolOnce({ ...enrolmentDeps, token: () => token }, signal).catch((error: unknown) => {
      log.warn('enrolment with the new token failed', whyNot(error))
      if (error instanceof ProblemError && error.code === 'enrolment-refused') identity.drop(token)
      return held
    })
    return announced(await anew)
  }

  function announced(received: Credentials | undefined): Credentials | undefined {
    if (!received) return undefined
    deps.onCredentials(received)
    deps.onKey()
    return received
  }

  const epochNow = () => enrolment?.identity.credentials()?.epoch

  async function enrolAnew(): Promise<void> {
    await clock.sleep(ANSWER_MS, signal)
    if (!signal.aborted) await credentials(true)
  }

  /** @returns When the session has ended: stopped, or refused by the control plane. */
  async function session(held: string): Promise<HeartbeatEnd> {
    const over = new AbortController()
    const token = () => (renewals && enrolment?.identity.credentials()?.dtmaBearerToken) || held
    const beats = createTunnelBeats(fetch)
    const either = AbortSignal.any([signal, over.signal])
    const heartbeats = startHeartbeats(
      {
        client: () => createClient({ baseUrl, token: token(), fetch: beats.fetch }),
        renewals,
        runId,
        version,
        report,
        onPackages,
        log,
        clock,
      },
      either,
    )
    wake = heartbeats.wake
    heard = () => heartbeats.heard
    const dial = (until: AbortSignal) =>
      runTunnel({ baseUrl, pins: () => pins, token, runId, listener: listener!, beats, log, clock }, until)
    const tunnel = listener && (tunnelSwitch ? tunnelSwitch.whileOn(dial, either) : dial(either))
    const ends = tunnel === undefined ? [heartbeats.ended] : [heartbeats.ended, tunnel]
    const end = await Promise.race(ends)
    over.abort()
    await Promise.all(ends)
    return end
  }

  /**
   * What a refusal means: a token may have run out, and another run may be a copy of us. Who holds the key of the enrolment
   * can ask.
   */
  async function meaningOf(end: HeartbeatEnd, epoch: number | undefined): Promise<HeartbeatEnd | 'goes-on'> {
    if (end === 'stopped' || end === 'quarantined' || !renewals) return end
    await turn.over
    if (epochNow() !== epoch) return 'goes-on' // it was our own enrolment that ended the old credentials
    const asked = await renewals.renewNow(signal)
    if (asked === 'renewed') return 'goes-on'
    if (asked === 'quarantined') return asked
    if (asked === 'unknown') await clock.sleep(UNKNOWN_MS, signal)
    return asked === 'unknown' ? 'goes-on' : end
  }

  async function run(): Promise<void> {
    let seek = true
    let told = ''
    while (!signal.aborted) {
      const held = await credentials(seek)
      if (!held) return
      const startedAt = clock.steady()
      const epoch = epochNow()
      const end = await meaningOf(await session(held.dtmaBearerToken), epoch)
      if (end === 'stopped') return
      seek = end !== 'goes-on'
      if (end === 'goes-on') continue
      if (end === 'superseded')
        return log.error(
          'another DTMA with this identity has taken over; this one no longer reports. Restart it to take over again',
          { runId },
        )
      if (enrolment?.identity.handedToken() !== undefined) {
        await clock.sleep(UNKNOWN_MS, signal)
        continue
      }
      if (told !== end || clock.steady() - startedAt > REFUSED_MS) log.error(...WORDS[end](given !== undefined))
      told = end
      await clock.sleep(REFUSED_MS, signal)
    }
  }

  return {
    get heard() {
      return heard()
    },
    wake: () => wake(),
    enrolAnew(token) {
      enrolment?.identity.hold(token)
      void enrolAnew() // what comes of it is in the log, and in the next heartbeat
    },
    stopped: run(),
  }
}

const NEW_TOKEN = 'Create a new enrolment token for this toolbox and put it where ENROLMENT_TOKEN_FILE points.'

/** What is said when it does not go on, and what can be done. */
const WORDS = {
  quarantined: (): [string, Readonly<Record<string, unknown>>] => [
    'another machine holds the identity of this toolbox: both are locked out; tools run on',
    { fix: `Decide which machine is the toolbox. On that one: ${NEW_TOKEN}` },
  ],
  unauthenticated: (given: boolean): [string, Readonly<Record<string, unknown>>] => [
    'the control plane does not accept our credentials; they are tried again each minute',
    { fix: given ? 'Set DTMA_BEARER_TOKEN to the present one of this toolbox and restart DTMA.' : NEW_TOKEN },
  ],
} as const
