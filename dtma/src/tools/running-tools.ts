import type { Config } from '../config.ts'
import { startEgress } from '../egress/egress.ts'
import { hostAddresses } from '../egress/host-addresses.ts'
import { type IsolationWatch, watchIsolation } from '../egress/isolation.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
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
  readonly config: Pick<Config, 'docker' | 'http' | 'egressNameServers'>
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
  readonly isolation: IsolationWatch
}

/** Keeps the accepted tools of a state running, apart from each other and from the machine, and tidies up behind them. */
export function runTools({ files, tools: accepted, warnings }: State, deps: RunningToolsDeps): RunningTools {
  const { docker, config, runnerBase: image, self, sources, indexes, sessions, secrets, journal, log, signal } = deps
  for (const warning of warnings) log.warn(warning)
  const { owner } = files
  const { sleep } = systemClock
  const addresses = (signal: AbortSignal) => hostAddresses({ docker, owner, image, self }, signal)
  const egress = startEgress({
    docker,
    owner,
    image,
    nameServers: config.egressNameServers,
    hostAddresses: addresses,
    log,
    sleep,
    signal,
  })
  const isolation = watchIsolation({
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
      deps.onChange()
    },
    signal,
  })
  const parts = createToolParts({ docker, owner, egress, isolation: () => isolation.isolation })
  const pythonBase = pythonBaseOf(docker, config.docker.pythonImage)
  const tools = startToolReconciler({
    docker,
    files,
    parts,
    images: createToolImages({ docker, owner, runnerBase: image, pythonBase, sources, indexes }),
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
    inUse: () => ({
      images: new Set(tools.list().flatMap(({ tool }) => tool.images)),
      networks: new Set([...egress.routes.keys(), ...tools.list().map(({ tool }) => resourceNameOf(tool.name))]),
    }),
    log,
    sleep,
    signal,
  })
  return { tools, isolation, registry: createToolRegistry({ tools, files, secrets }) }
}
