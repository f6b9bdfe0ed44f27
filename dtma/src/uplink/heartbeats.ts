import {
  API_VERSION,
  type Client,
  type DockerState,
  heartbeat,
  type InstallationKind,
  type PackageIndexes,
  ProblemError,
  type SystemMetrics,
  type ToolStatus,
  type UpdateState,
} from '../contract/index.ts'
import type { Log } from '../log.ts'
import { reasonOf } from '../reason.ts'
import { type Clock, jitteredBackoffMs } from './clock.ts'
import type { Renewals } from './renewals.ts'

/** What a heartbeat tells: the latest that is known. Reading it never waits for Docker. */
export interface Report {
  readonly docker: DockerState
  readonly system: SystemMetrics
  /** `undefined` while nobody knows what is there: a report without them says nothing about tools. */
  readonly tools: readonly ToolStatus[] | undefined
  /** The last update of DTMA, if there was one. */
  readonly update?: UpdateState | undefined
  /** How this DTMA was installed, where that is known. */
  readonly installation?: InstallationKind | undefined
}

export interface HeartbeatDeps {
  /** With the token that holds now. */
  readonly client: () => Pick<Client, 'call'>
  /** Absent: the token was given, and nobody renews it. */
  readonly renewals?: Renewals | undefined
  readonly runId: string
  readonly version: string
  readonly report: () => Report
  /** Told where packages come from, whenever the control plane says it. */
  readonly onPackages?: ((said: PackageIndexes) => Promise<void>) | undefined
  readonly log: Log
  readonly clock: Clock
}

export type HeartbeatEnd = 'stopped' | 'superseded' | 'unauthenticated' | 'quarantined'

export interface Heartbeats {
  /** Whether the last one was answered. */
  readonly heard: boolean
  /** Something in the report changed: send it soon. */
  wake(): void
  readonly ended: Promise<HeartbeatEnd>
}

const FULL_REPORT_MS = 60_000
/** Changes within this time go in one report. */
const GATHER_MS = 250
const DEADLINE_MS = 10_000
/** Silence may come from a control plane that is restarting; it must not take long to hear us again. */
const LONGEST_RETRY_MS = 15_000
/** Whatever the control plane asks for: not more often, and not less. */
const SHORTEST_INTERVAL_SECONDS = 1
const LONGEST_INTERVAL_SECONDS = 300

/** Sends life signs until `signal` aborts, or the control plane says that this run is not wanted. */
export function startHeartbeats(
  { client, renewals, runId, version, report, onPackages, log, clock }: HeartbeatDeps,
  signal: AbortSignal,
): Heartbeats {
  let seq = 0
  let changed = true
  let fullAt = 0
  let nap = new AbortController()
  let heard = false
  let toldTooOld = false

  async function beat(): Promise<number> {
    const full = changed || clock.steady() - fullAt >= FULL_REPORT_MS
    changed = false
    seq += 1
    try {
      const { docker, system, tools, update, installation } = report()
      const body = {
        runId,
        seq,
        dtmaVersion: version,
        apiVersion: API_VERSION,
        sentAt: clock.now(),
        docker,
        ...(full
          ? {
              system,
              ...(tools ? { tools: [...tools] } : {}),
              ...(update ? { update } : {}),
              ...(installation ? { installation } : {}),
            }
          : {}),
      }
      const reply = await client().call(
        heartbeat,
        { body },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) },
      )
      if (full) fullAt = clock.steady()
      if (reply.tooOld && !toldTooOld) {
        toldTooOld = true
        log.error('this DTMA is too old for the control plane: update it', { version, ...reply.tooOld })
      }
      if (reply.packages)
        await onPackages?.(reply.packages).catch((error: unknown) =>
          log.warn('where packages come from could not be kept', { reason: reasonOf(error) }),
        )
      changed ||= reply.wantReport
      if (reply.wantReport) return GATHER_MS
      const seconds = Math.min(Math.max(reply.nextInSeconds, SHORTEST_INTERVAL_SECONDS), LONGEST_INTERVAL_SECONDS)
      return seconds * 1_000 * (0.8 + 0.4 * clock.random())
    } catch (error) {
      changed ||= full
      throw error
    }
  }

  async function run(): Promise<HeartbeatEnd> {
    for (let failures = 0; !signal.aborted; ) {
      let waitMs: number
      try {
        // Between two heartbeats, so that none of ours is under way with the token that ends.
        if ((await renewals?.renewIfDue(signal)) === 'quarantined') return 'quarantined'
        waitMs = await beat()
        heard = true
        if (failures > 0) log.info('heartbeats are heard again', { failures })
        failures = 0
      } catch (error) {
        heard = false
        if (signal.aborted) break
        const code = error instanceof ProblemError ? error.code : undefined
        if (code === 'superseded' || code === 'unauthenticated') return code
        failures += 1
        if (failures === 1) log.warn('heartbeat was not heard', { reason: reasonOf(error) })
        waitMs = Math.min(jitteredBackoffMs(failures, clock.random), LONGEST_RETRY_MS)
      }
      nap = new AbortController()
      await clock.sleep(
        changed && failures === 0 ? Math.min(GATHER_MS, waitMs) : waitMs,
        AbortSignal.any([signal, nap.signal]),
      )
      if (nap.signal.aborted) await clock.sleep(GATHER_MS, signal)
    }
    return 'stopped'
  }

  return {
    get heard() {
      return heard
    },
    wake() {
      changed = true
      nap.abort()
    },
    ended: run(),
  }
}
