import { join } from 'node:path'
import { API_VERSION, type DtmaStatus, type ToolStatus } from '@agentopia/dtma/contract'
import { DTMA_VERSION, openIdentity, startUplink, systemClock, type UplinkDeps } from '@agentopia/dtma/testing'

/** Who a DTMA is to become. */
export interface Member {
  readonly toolboxId: string
  /** For its enrolment. */
  readonly token: string
}

export interface Quarters {
  /** Where members keep who they are. */
  readonly directory: string
  /** Origin of the control plane. */
  readonly baseUrl: string
  /** For them so many seconds pass in one. */
  readonly speed: number
}

const GIB = 1 << 30
const SYSTEM = {
  cpus: 2,
  cpuUsage: 0.1,
  memoryBytes: 2 * GIB,
  memoryUsedBytes: GIB,
  diskBytes: 50 * GIB,
  diskUsedBytes: 10 * GIB,
  networkRxBytes: 0,
  networkTxBytes: 0,
  loadAverage: 0.1,
  uptimeSeconds: 3_600,
}
const DOCKER = { state: 'ok' } as const
export const SILENT = { debug() {}, info() {}, warn() {}, error() {}, lines: () => [], redact() {} }
/** Whoever started us ends us. */
const { signal } = new AbortController()

const runIdOf = (toolboxId: string): string => `run-${toolboxId}`

/** What a member tells whoever asks for its status. */
export const statusOf = (toolboxId: string, tools: readonly ToolStatus[] = []): DtmaStatus => ({
  version: DTMA_VERSION,
  apiVersion: API_VERSION,
  toolboxId,
  runId: runIdOf(toolboxId),
  uptimeSeconds: 3_600,
  docker: DOCKER,
  system: SYSTEM,
  tools: [...tools],
})

/** A DTMA without a machine: enrolment, heartbeats and tunnel are the real ones, and what it answers is the listener's. */
export function enlist(
  { directory, baseUrl, speed }: Quarters,
  { toolboxId, token }: Member,
  listener: NonNullable<UplinkDeps['listener']>,
  tools: () => readonly ToolStatus[] = () => [],
): void {
  startUplink(
    {
      baseUrl,
      enrolment: {
        identity: openIdentity(join(directory, toolboxId)),
        toolboxId,
        token: () => token,
        machine: { hostname: toolboxId, os: 'linux', arch: 'x64' },
      },
      given: undefined,
      onCredentials() {},
      onKey() {},
      report: () => ({ docker: DOCKER, system: SYSTEM, tools: [...tools()] }),
      listener,
      runId: runIdOf(toolboxId),
      version: DTMA_VERSION,
      log: SILENT,
      clock: at(speed),
    },
    signal,
  )
}

/** The clock of this machine, faster. */
const at = (speed: number): typeof systemClock => ({
  ...systemClock,
  steady: () => systemClock.steady() * speed,
  sleep: (ms, limit) => systemClock.sleep(ms / speed, limit),
})
