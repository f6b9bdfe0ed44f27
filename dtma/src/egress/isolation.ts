import type { Isolation } from '../contract/status.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { Log } from '../log.ts'
import { LABEL, resourceNameOf } from '../tools/tool-labels.ts'
import type { Egress } from './egress.ts'
import type { Forbidden } from './probe.script.ts'
import { forbiddenOf, type ProbeDeps, probeNameOf, runProbe } from './probe.ts'

/** Whether tools are kept apart from their surroundings: proven again and again, by trying. */
export interface IsolationWatch {
  readonly isolation: Isolation
  readonly stopped: Promise<void>
}

export interface IsolationDeps extends ProbeDeps {
  readonly docker: DockerApi
  readonly egress: Egress
  readonly hostAddresses: (signal: AbortSignal) => Promise<readonly string[]>
  /** Of DTMA's own API. */
  readonly port: number
  readonly log: Log
  readonly date: () => Date
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly onChange: (isolation: Isolation) => void
  readonly signal: AbortSignal
}

/** The tools come first when DTMA begins. */
const FIRST_MS = 3_000
const PROBE_EVERY_MS = 3_600_000
/** While it is not proven. */
const RETRY_MS = 30_000
const DEADLINE_MS = 60_000
const MOST_LEAKS = 20

export function watchIsolation(deps: IsolationDeps): IsolationWatch {
  const { log, signal } = deps
  let isolation: Isolation = { state: 'unproven', leaks: [] }

  async function look(): Promise<void> {
    const before = isolation.state
    try {
      const reached = await probeOnce(deps, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]))
      if (!reached) throw new Error('The probe could not reach the gateway')
      const leaks = reached.slice(0, MOST_LEAKS).map(inWords)
      isolation = { state: leaks.length > 0 ? 'failed' : 'ok', checkedAt: deps.date().toISOString(), leaks }
      if (leaks.length > 0) log.error('a tool could reach what it must not', { leaks })
    } catch (error) {
      if (signal.aborted) return
      // What was proven an hour ago is not proven now; what had failed has still failed.
      if (isolation.state !== 'failed') isolation = { ...isolation, state: 'unproven' }
      log.warn('the isolation of the tools cannot be probed', { error })
    }
    if (isolation.state !== before) deps.onChange(isolation)
  }

  async function run(): Promise<void> {
    await deps.sleep(FIRST_MS, signal)
    while (!signal.aborted) {
      await look()
      await deps.sleep(isolation.state === 'ok' ? PROBE_EVERY_MS : RETRY_MS, signal)
    }
  }

  return {
    get isolation() {
      return isolation
    },
    stopped: run(),
  }
}

/** On a network of its own, which leaves no trace. */
async function probeOnce(deps: IsolationDeps, signal: AbortSignal): Promise<readonly Forbidden[] | undefined> {
  const { docker, egress, owner } = deps
  const network = resourceNameOf(probeNameOf(owner))
  const clear = async (limit: AbortSignal) => {
    await egress.leave(network, limit)
    await docker.removeNetwork(network, limit)
  }
  await clear(signal)
  await docker.createIsolatedNetwork(network, { [LABEL.owner]: owner }, signal)
  try {
    await egress.join(network, 'any', signal)
    const others = [...egress.routes].filter(([name]) => name !== network)
    const found = await Promise.all(others.map(([name]) => docker.inspectNetwork(name, signal)))
    const addresses = found.flatMap((other) => Object.values(other?.Containers ?? {}))
    const forbidden = forbiddenOf({
      machine: await deps.hostAddresses(signal),
      ports: [deps.port],
      subnet: egress.routes.get(network)?.subnet ?? '',
      others: addresses.map(({ IPv4Address }) => IPv4Address.split('/')[0] ?? ''),
    })
    return await runProbe(deps, forbidden, signal)
  } finally {
    await clear(AbortSignal.timeout(10_000))
  }
}

const inWords = ({ what, by, host, port }: Forbidden): string => {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return `${what} ${by === 'name' ? host : place}${by === 'proxy' ? ' through the gateway' : ''}`
}
