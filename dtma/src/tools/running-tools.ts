import type { Config } from '../config.ts'
import type { Isolation } from '../contract/status.ts'
import { startEgress } from '../egress/egress.ts'
import { hostAddresses } from '../egress/host-addresses.ts'
import { watchIsolation } from '../egress/isolation.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { watchFirewall } from '../firewall/firewall.ts'
import type { Log } from '../log.ts'
import type { McpBridge } from '../mcp/tool-sessions.ts'
import type { State } from '../state.ts'
import { systemClock } from '../uplink/clock.ts'
import type { ImageSources } from './image-sources.ts'
import type { Journal } from './journal.ts'
import { keepTidy } from './leftovers.ts'
import type { KnownIndexes } from './package-indexes.ts'
import { pythonBaseOf } from './python-base.ts'
import { startToolReconciler, type ToolReconciler } from './tool.reconciler.ts'
import { createToolContainers } from './tool-containers.ts'
import { createToolImages } from './tool-images.ts'
import { resourceNameOf } from './tool-labels.ts'
import { createToolParts } from './tool-parts.ts'
import { createToolRegistry, type ToolRegistry } from './tool-registry.ts'
import type { ToolSecrets } from './tool-secrets.ts'

export interface RunningToolsDeps {
  readonly docker: DockerApi
  readonly config: Pick<Config, 'docker' | 'http' | 'egressNameServers' | 'stateDirectory'>
  /** The image that scripts of ours run in. */
  readonly runnerBase: (signal: AbortSignal) => Promise<string>
  /** The container that we run in, if we do. */
  readonly self: (signal: AbortSignal) => Promise<ContainerDetails | undefined>
  readonly sources: ImageSources
  readonly indexes: KnownIndexes
  readonly sessions: McpBridge
  readonly secrets: ToolSecrets
  readonly journal: Journal
  readonly log: Log
  /** There is something new to report. */
  readonly onChange: () => void
  readonly signal: AbortSignal
}

export interface RunningTools {
  readonly tools: ToolReconciler
  readonly registry: ToolRegistry
  /** What keeps them apart, as it was found last. */
  readonly isolation: Isolation
  /** Resolves after the signal, when nothing is being looked at any more. */
  stopped(): Promise<void>
}

/** Keeps the accepted tools of a state running, apart from each other and from the machine, and tidies up behind them. */
export function runTools({ files, tools: accepted, warnings }: State, deps: RunningToolsDeps): RunningTools {
  const { docker, config, runnerBase: image, self, sources, indexes, sessions, secrets, journal, log, signal } = deps
  for (const warning of warnings) log.warn(warning)
  const { owner } = files
  const { sleep } = systemClock
  const addresses = (signal: AbortSignal) => hostAddresses({ docker, owner, image, self }, signal)
  const released = () => {
    for (const worker of tools.list()) worker.released('isolation_failed')
  }
  const firewall = watchFirewall({
    docker,
    owner,
    image,
    log,
    date: () => new Date(),
    random: Math.random,
    sleep,
    onChange: ({ state, message }) => {
      const word = state === 'ok' ? 'restored' : state
      journal.record({ kind: 'isolation', state: `firewall ${word}`, ...(message === undefined ? {} : { message }) })
      if (state === 'ok') released()
      deps.onChange()
    },
    signal,
  })
  const egress = startEgress({
    docker,
    owner,
    image,
    nameServers: config.egressNameServers,
    stateDirectory: config.stateDirectory,
    self,
    hostAddresses: addresses,
    log,
    sleep,
    onGateway: firewall.wake,
    signal,
  })
  const probed = watchIsolation({
    docker,
    owner,
    image,
    egress,
    hostAddresses: addresses,
    port: config.http.port,
    log,
    date: () => new Date(),
    sleep,
    onChange: ({ state, leaks }) => {
      journal.record({ kind: 'isolation', state, ...(leaks.length > 0 ? { message: leaks.join(', ') } : {}) })
      if (state === 'ok') released()
      deps.onChange()
    },
    signal,
  })
  const parts = createToolParts({ docker, owner, egress, isolation: () => probed.isolation, firewall })
  const pythonBase = pythonBaseOf(docker, config.docker.pythonImage)
  const images = createToolImages({ docker, owner, runnerBase: image, pythonBase, sources, indexes })
  const tools = startToolReconciler({
    docker,
    files,
    parts,
    images,
    containers: createToolContainers({ docker, parts, owner }),
    sessions,
    secrets,
    log,
    journal,
    now: () => performance.now(),
    date: () => new Date(),
    tools: accepted,
    signal,
  })
  tools.onChange(deps.onChange)
  void keepTidy({
    docker,
    owner,
    isBuilding: () => images.isBuilding,
    inUse: () => ({
      images: new Set(tools.list().flatMap(({ tool }) => tool.images)),
      networks: new Set([...egress.routes.keys(), ...tools.list().map(({ tool }) => resourceNameOf(tool.name))]),
    }),
    log,
    sleep,
    signal,
  })
  return {
    tools,
    registry: createToolRegistry({ tools, files, secrets }),
    get isolation() {
      return { ...probed.isolation, ...(firewall.state ? { firewall: firewall.state } : {}) }
    },
    stopped: () => Promise.all([tools.stopped(), probed.stopped, firewall.stopped]).then(() => undefined),
  }
}
