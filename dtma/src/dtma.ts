import { aborted } from './aborted.ts'
import type { Config } from './config.ts'
import type { Check } from './contract/event.ts'
import { DTMA_OPERATIONS } from './contract/operations.ts'
import { problem } from './contract/problems.ts'
import type { DtmaStatus } from './contract/status.ts'
import { API_VERSION } from './contract/uplink.ts'
import { createDockerApi } from './engine/docker.api.ts'
import type { ContainerDetails } from './engine/docker.types.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { type GroupRegistry, openGroupRegistry } from './groups/group.registry.ts'
import { openGroupFiles } from './groups/group-file.ts'
import { createApp } from './http/app.ts'
import { healthOnly } from './http/health-only.ts'
import { listenerOf } from './http/listener.ts'
import { serve } from './http/serve.ts'
import type { Log } from './log.ts'
import { createMcpEndpoint } from './mcp/mcp-endpoint.ts'
import { createMcpBridge } from './mcp/tool-sessions.ts'
import { reasonOf } from './reason.ts'
import { openRoads, type RoadKeeper } from './road/road.keeper.ts'
import { createTunnelSwitch } from './road/tunnel-switch.ts'
import { openState, type State } from './state.ts'
import { diagnosticsOf } from './system/diagnostics.ts'
import { whyNotReached } from './system/index-reach.ts'
import { StateInUse } from './system/state-lock.ts'
import { startSystemMonitor } from './system/system-monitor.ts'
import { createJournal } from './tools/journal.ts'
import { type KnownIndexes, openPackageIndexes } from './tools/package-indexes.ts'
import { runnerBaseOf } from './tools/runner-base.ts'
import { type RunningTools, runTools } from './tools/running-tools.ts'
import { findSelf, type SelfHints } from './tools/self-container.ts'
import { LABEL } from './tools/tool-labels.ts'
import { toolLogs } from './tools/tool-logs.ts'
import type { ToolRegistry } from './tools/tool-registry.ts'
import { createToolSecrets } from './tools/tool-secrets.ts'
import { toolStats } from './tools/tool-stats.ts'
import { installationOf } from './update/installation.ts'
import { openSelfUpdate, type SelfUpdate } from './update/self-update.ts'
import { updateFiles } from './update/update.journal.ts'
import { systemClock } from './uplink/clock.ts'
import { enrolmentTokenOf } from './uplink/enrolment-token.ts'
import type { Credentials, Identity } from './uplink/identity.ts'
import { controlPlaneSources } from './uplink/image-sources.ts'
import type { Pins } from './uplink/pinned-tls.ts'
import { startUplink, type Uplink, type UplinkDeps } from './uplink/uplink.ts'

export interface DtmaDeps {
  readonly config: Config
  readonly log: Log
  readonly version: string
  readonly runId: string
  readonly machine: { readonly hostname: string; readonly os: string; readonly arch: string }
  readonly selfHints: SelfHints
  /** This is a new DTMA that has to prove itself to its parent. */
  readonly onTrial: boolean
  /** Ends this run and begins another one. */
  readonly restart: () => void
}

/** The image of DTMA as everybody builds it. */
const DTMA_IMAGE = 'agentopia-dtma:latest'
const STATE_RETRY_MS = 15_000
const STATE_PATIENCE_MS = 2_000
const GOODBYE_MS = 5_000
const RESTART_DELAY_MS = 200

/**
 * Every object of DTMA is made here, once, and handed to whoever needs it. /health answers from the start on; what cannot be
 * had yet (Docker, the state directory, the control plane) is tried again until it can.
 * @returns `ended` resolves after `signal`, when everybody has said goodbye. Tools run on.
 * @throws {PortError | StateInUse}
 */
export async function createDtma(deps: DtmaDeps, signal: AbortSignal): Promise<{ readonly ended: Promise<void> }> {
  const { config, log, version, runId, machine } = deps
  const startedAt = performance.now()
  const docker = createDockerApi(createEngineHttp(config.docker.socketPath))
  const system = startSystemMonitor(config.stateDirectory, signal)
  const journal = createJournal(runId.slice(0, 8), () => new Date())
  const bridge = createMcpBridge({ version, random: Math.random })

  const secrets = createToolSecrets(log.redact)

  let credentials: Credentials | undefined
  let identity: Identity | undefined
  let running: RunningTools | undefined
  let uplink: Uplink | undefined
  let selfUpdate: SelfUpdate | undefined
  let groups: GroupRegistry | undefined
  let roads: RoadKeeper | undefined
  let indexes: KnownIndexes | undefined
  let stateFailure: string | undefined = 'it was not opened yet'
  for (const secret of [config.apiKey, config.uplink?.bearerToken, config.uplink?.enrolmentToken])
    if (secret !== undefined) log.redact(secret)

  let self: Promise<ContainerDetails | undefined> | undefined
  const findOwnContainer = (signal: AbortSignal) => {
    self ??= findSelf(docker, deps.selfHints, signal).catch((error: unknown) => {
      self = undefined // Docker did not answer: ask again next time
      throw error
    })
    return self
  }

  const runnerBase = runnerBaseOf(docker, async (signal) => {
    if (config.docker.runnerImage !== undefined) return [config.docker.runnerImage]
    const own = await findOwnContainer(signal)
    return own ? [own.Image, DTMA_IMAGE] : [DTMA_IMAGE]
  })

  /** Of the control plane's TLS key: as configured, and what it has announced since. */
  function pinsNow(): Pins | undefined {
    const configured = config.uplink?.pins
    return configured && (identity?.learnedPins(configured) ?? configured)
  }

  const sources = controlPlaneSources({
    baseUrl: config.uplink?.baseUrl,
    pins: pinsNow,
    // It is renewed from time to time; what was given is not.
    token: () => config.uplink?.bearerToken ?? identity?.credentials()?.dtmaBearerToken,
    redact: log.redact,
  })

  async function diagnose(signal: AbortSignal): Promise<readonly Check[]> {
    const runnerFailure = await runnerBase(signal).then(() => undefined, reasonOf)
    const { uplink: configured, stateDirectory } = config
    const controlPlane = configured && { address: configured.baseUrl, heard: uplink?.heard ?? false }
    const addresses = [indexes?.npm, indexes?.pypi].filter((address) => address !== undefined)
    const reached = await Promise.all(
      addresses.map(async (address) => ({ address, failure: await whyNotReached(address, signal) })),
    )
    const own = { stateFailure, stateDirectory, runnerFailure, indexes: reached, controlPlane, now: Date.now() }
    return diagnosticsOf(status(), own)
  }

  function registry(): ToolRegistry {
    if (!running) throw problem('state-not-writable', `The state directory cannot be used: ${stateFailure}`)
    return running.registry
  }

  function groupRegistry(): GroupRegistry {
    if (!groups) throw problem('state-not-writable', `The state directory cannot be used: ${stateFailure}`)
    return groups
  }

  const report = () => ({
    docker: running
      ? { ...running.tools.docker, isolation: running.isolation }
      : { state: 'down' as const, message: 'Docker was not asked yet' },
    system: system.metrics,
    tools: running?.registry.list(),
    ...(selfUpdate?.state ? { update: selfUpdate.state } : {}),
    ...(config.programsDirectory === undefined ? {} : { installation: 'service' as const }),
  })
  const status = (): DtmaStatus => {
    const toolboxId = credentials?.toolboxId ?? config.uplink?.toolboxId
    const uptimeSeconds = Math.floor((performance.now() - startedAt) / 1_000)
    const { tools = [], ...rest } = report()
    return {
      version,
      apiVersion: API_VERSION,
      operations: DTMA_OPERATIONS.map(({ id }) => id),
      runId,
      uptimeSeconds,
      ...rest,
      tools,
      ...(toolboxId === undefined ? {} : { toolboxId }),
      ...(config.uplink && roads ? { road: roads.road } : {}),
    }
  }

  const app = createApp({
    apiKey: () => config.apiKey ?? credentials?.backendToDtmaApiKey,
    version,
    registry,
    groups: groupRegistry,
    status,
    toolLogs: (name, wish, signal) =>
      toolLogs(
        {
          docker,
          find: (name) => running?.tools.find(name)?.tool,
          clean: (line) => secrets.redacted(name, line),
        },
        name,
        wish,
        signal,
      ),
    toolStats: (name, signal) =>
      toolStats({ docker, find: (name) => running?.tools.find(name)?.tool, sleep: systemClock.sleep }, name, signal),
    journal,
    diagnostics: (signal) => diagnose(signal),
    calls: bridge,
    mcp: createMcpEndpoint(bridge),
    log,
    restart: () => void setTimeout(deps.restart, RESTART_DELAY_MS),
    async redeploy(attempt, release) {
      if (!selfUpdate) throw problem('state-not-writable', `The state directory cannot be used: ${stateFailure}`)
      return selfUpdate.request(attempt, release)
    },
    rotateKeys(token) {
      // A key of the API that was given stays, and so the control plane would hold another one than we do.
      if (config.apiKey !== undefined || config.uplink?.bearerToken !== undefined)
        throw problem('keys-given', 'DTMA_BEARER_TOKEN or BACKEND_TO_DTMA_API_KEY is set on its machine')
      if (!uplink) throw problem('state-not-writable', `The state directory cannot be used: ${stateFailure}`)
      log.redact(token)
      uplink.enrolAnew(token)
    },
    async setRoad(wish) {
      if (!config.uplink) throw problem('road-not-possible', 'This DTMA belongs to no control plane')
      if (!roads) throw problem('state-not-writable', `The state directory cannot be used: ${stateFailure}`)
      return roads.set(wish)
    },
  })
  const listener = listenerOf(app, log)
  const tunnelSwitch = createTunnelSwitch()

  function startTools(state: State, known: KnownIndexes): RunningTools {
    running = runTools(state, {
      docker,
      config,
      runnerBase,
      self: findOwnContainer,
      sources,
      indexes: known,
      sessions: bridge,
      secrets,
      journal,
      log,
      onChange: () => uplink?.wake(),
      signal,
    })
    return running
  }

  function startReporting({ identity }: State, { hear }: KnownIndexes): void {
    if (!config.uplink) return
    const { baseUrl, pins, bearerToken, toolboxId } = config.uplink
    const token = () => enrolmentTokenOf(config, log)
    const uplinkDeps: UplinkDeps = {
      baseUrl,
      pins,
      given: bearerToken === undefined ? undefined : { dtmaBearerToken: bearerToken },
      enrolment: toolboxId === undefined ? undefined : { identity, toolboxId, token, machine },
      onCredentials: (received) => {
        log.redact(received.dtmaBearerToken)
        log.redact(received.backendToDtmaApiKey)
        credentials = received
      },
      onKey: () => port.useKey(identity.tls()),
      report,
      onPackages: hear,
      listener,
      tunnelSwitch,
      runId,
      version,
      log,
      clock: systemClock,
    }
    uplink = startUplink(uplinkDeps, signal)
  }

  async function openGroups({ tools, registry }: RunningTools) {
    const opened = await openGroupRegistry({
      registry,
      statusOf: (name) => tools.find(name)?.status,
      files: await openGroupFiles(config.stateDirectory),
      log,
      now: () => performance.now(),
      date: () => new Date(),
      sleep: systemClock.sleep,
      signal,
    })
    tools.onChange(opened.wake)
    return opened
  }

  async function startUpdates({ files: { owner } }: State, started: RunningTools): Promise<void> {
    const { uplink: configured, programsDirectory: directory } = config
    const { onTrial, restart } = deps
    const service = directory === undefined ? undefined : { directory, onTrial, restart }
    selfUpdate = await openSelfUpdate({
      files: updateFiles(config.stateDirectory),
      version,
      releaseKey: () => credentials?.releaseKey,
      pins: pinsNow,
      installation: installationOf({ docker, owner, baseUrl: configured?.baseUrl, service, self: findOwnContainer }),
      async evidence(signal) {
        const listed = docker.listContainers(`${LABEL.owner}=${owner}`, signal).then(
          () => true,
          () => false, // which is the evidence
        )
        return { heard: uplink?.heard ?? false, docker: await listed, isolation: started.isolation.state === 'ok' }
      },
      onChange: () => uplink?.wake(),
      log,
      date: () => new Date(),
      sleep: systemClock.sleep,
      signal,
    })
  }

  /** `undefined`: not now. */
  async function tryState(): Promise<State | undefined> {
    try {
      const state = await openState(config.stateDirectory)
      stateFailure = undefined
      return state
    } catch (error) {
      if (error instanceof StateInUse) throw error
      const message = reasonOf(error)
      if (message !== stateFailure)
        log.error('the state directory cannot be used', { directory: config.stateDirectory, error })
      stateFailure = message
      return undefined
    }
  }

  /** A full or read-only disk must not keep /health from answering: the rest begins when the disk can be used. */
  async function begin(first: Promise<State | undefined>): Promise<void> {
    let state = await first
    while (!state && !signal.aborted) {
      await systemClock.sleep(STATE_RETRY_MS, signal)
      state = await tryState()
    }
    if (!state) return
    identity = state.identity
    port.useKey(identity.tls())
    indexes = await openPackageIndexes(config.indexes, config.stateDirectory, log)
    const started = startTools(state, indexes)
    groups = await openGroups(started)
    await startUpdates(state, started)
    roads = await openRoads({
      configured: config.uplink?.road ?? 'tunnel',
      door: config.http,
      port,
      tunnel: tunnelSwitch,
      stateDirectory: config.stateDirectory,
      publicKey: () => state.identity.publicKey,
      log,
      clock: systemClock,
      signal,
    })
    startReporting(state, indexes)
  }

  // Whoever asks as soon as we listen finds the tools there, unless the disk is slow.
  const opening = tryState()
  await Promise.race([opening, systemClock.sleep(STATE_PATIENCE_MS, signal)])
  const inTheClear = listenerOf(healthOnly(app, log), log)
  const plainListener: typeof listener = (request, response) =>
    ((roads ?? config.http).plain ? listener : inTheClear)(request, response)
  const port = await serve({ listener, plainListener }, config.http)
  log.info('DTMA listens', { ...config.http, version, runId })
  const beginning = begin(opening)

  async function run(): Promise<void> {
    await beginning
    await aborted(signal)
    log.info('DTMA stops; tools run on', { reason: String(signal.reason?.message) })
    const goodbyes = Promise.all([port.close(), uplink?.stopped, running?.stopped, selfUpdate?.stopped])
    await Promise.race([goodbyes, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))])
  }
  return { ended: run() }
}
