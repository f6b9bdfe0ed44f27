// Started by recruits.ts: many DTMAs without a machine. Each has the real enrolment, heartbeats and tunnel, and a status that never changes.
import { join } from 'node:path'
import { API_VERSION, type DtmaStatus, getHealth, getStatus } from '@agentopia/dtma/contract'
import { openIdentity, startUplink, systemClock, DTMA_VERSION as version } from '@agentopia/dtma/testing'

/** What the parent sends: who enrols where. */
export interface Recruits {
  /** Where they keep who they are. */
  readonly directory: string
  readonly baseUrl: string
  readonly members: readonly { readonly toolboxId: string; readonly token: string }[]
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
const SILENT = { debug() {}, info() {}, warn() {}, error() {}, lines: () => [], redact() {} }
/** Whoever started us ends us. */
const { signal } = new AbortController()

function recruit({ directory, baseUrl, speed }: Recruits, { toolboxId, token }: Recruits['members'][number]): void {
  const runId = `run-${toolboxId}`
  const status: DtmaStatus = {
    version,
    apiVersion: API_VERSION,
    toolboxId,
    runId,
    uptimeSeconds: 3_600,
    docker: DOCKER,
    system: SYSTEM,
    tools: [],
  }
  const answers: Readonly<Record<string, string>> = {
    [getStatus.path]: JSON.stringify(status),
    [getHealth.path]: JSON.stringify({ status: 'ok', version }),
  }
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
      report: () => ({ docker: DOCKER, system: SYSTEM, tools: [] }),
      listener(request, response) {
        const answer = answers[request.url.split('?')[0]!]
        response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
        response.end(answer ?? '{}')
      },
      runId,
      version,
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

process.on('message', (recruits: Recruits) => {
  for (const member of recruits.members) recruit(recruits, member)
})
