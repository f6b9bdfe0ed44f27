import type { ToolState, ToolStatus } from '../contract/tool.ts'
import type { SecretValues } from '../contract/tool-secret.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { EngineError } from '../engine/engine-error.ts'
import { failedForGood, failedOnce, NO_BACKOFF } from './backoff.ts'
import { afterPing, firstCheckMs, HEALTHY } from './health.ts'
import type { ObservedContainer, Step } from './next-step.ts'
import type { AcceptedTool, SpecFiles } from './spec-file.ts'
import { countFailure, noteBroken, type ToolMemory } from './tool.memory.ts'
import type { FoundContainer, ToolContainers } from './tool-containers.ts'
import { ToolFailure, toolFailureOf } from './tool-failure.ts'
import type { ToolImages } from './tool-images.ts'
import type { ToolParts } from './tool-parts.ts'
import { isStale, missingAmong, secretsLine, type ToolSecrets } from './tool-secrets.ts'
import type { McpInfo, ToolChannel, ToolSessions, ToolTarget } from './tool-sessions.ts'

export interface ToolStepsDeps {
  readonly docker: Pick<DockerApi, 'attachContainer' | 'startContainer' | 'unpauseContainer'>
  readonly files: SpecFiles
  readonly images: ToolImages
  readonly containers: ToolContainers
  readonly parts: ToolParts
  readonly sessions: ToolSessions
  readonly secrets: ToolSecrets
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Whether another accepted tool runs from this image. */
  readonly imageInUse: (reference: string, exceptFor: string) => boolean
}

/** The one tool that a step is about. */
export interface ToolAtWork {
  readonly tool: AcceptedTool
  readonly found: FoundContainer | undefined
  readonly memory: ToolMemory
  show(state: ToolState, more?: Partial<Pick<ToolStatus, 'reason' | 'message' | 'progress'>>): void
  /** Writes to disk what we have learnt; a change of what is wanted comes from elsewhere. */
  note(
    change: Partial<Pick<AcceptedTool, 'containerId' | 'replace' | 'restarts' | 'images' | 'pins' | 'secretsVersion'>>,
  ): Promise<void>
  opened(info: McpInfo): Promise<void>
  forgotten(): void
}

type Action = Exclude<Step['do'], 'wait'>

const CHECK_DEADLINE_MS = 10_000
const HANDSHAKE_MS = 60_000
const ADOPTION_MS = 5_000
const FIRST_RETRY_MS = 10_000
/** The present image of a tool and the one before it; where two images make one, both of each. */
const imagesKept = ({ spec }: AcceptedTool): number => (spec.package.type === 'oci' && spec.secrets ? 4 : 2)
/** What was withdrawn must not be used for long. */
const WITHDRAWN_GRACE_SECONDS = 2

/** Carries out one step. Each may be cut off and repeated at any point. */
export function createToolSteps(deps: ToolStepsDeps) {
  const { docker, files, images, containers, parts, sessions, secrets, now } = deps

  const steps: Record<Action, (work: ToolAtWork, container: ObservedContainer, signal: AbortSignal) => Promise<void>> =
    {
      async 'find-image'({ tool, memory }, _, signal) {
        memory.image = (await images.find(tool, signal)) ? 'present' : 'absent'
      },

      async 'make-image'({ tool, memory, show, note }, _, signal) {
        const state = tool.spec.package.type === 'oci' ? 'pulling' : 'building'
        show(state)
        const reference = await images.make(tool, (progress) => show(state, { progress }), signal)
        await note({ images: withLast(tool.images, reference), ...pinnedIn(tool, reference) })
        memory.image = 'present'
        memory.backoff = NO_BACKOFF
      },

      async create({ tool, memory, show, note }, _, signal) {
        requireSecrets(tool)
        show('created')
        const image = await images.find(tool, signal)
        if (!image) {
          memory.image = 'absent'
          return
        }
        // Until the new id is noted, the claim alone must prove the container ours.
        if (tool.containerId !== undefined) await note({ containerId: undefined, secretsVersion: undefined })
        const id = await containers.create(tool, image.details, signal)
        memory.created = id
        await note({ containerId: id, images: withLast(tool.images, image.reference) })
      },

      async start({ tool, found, memory, show, note }, { id, state }, signal) {
        const given = requireSecrets(tool)
        show('starting')
        const differences = await readyToStart(tool, found!.details, memory, signal)
        if (differences.length > 0) {
          release(memory)
          await containers.remove(id, signal)
          await note({ containerId: undefined })
          if (memory.created !== id) return // made by an earlier version, or for a machine of another size
          throw new ToolFailure(
            'policy_denied',
            `Docker made another container than was asked for: ${differences.join(', ')}`,
            { lasting: true },
          )
        }
        if (given) {
          if (tool.secretsVersion !== given.version) await note({ secretsVersion: given.version })
          if (secrets.of(tool.name) !== given) return release(memory) // others came meanwhile
        }
        if (state === 'exited' && (memory.stopped !== id || memory.backoff.failures > 0))
          await note({ restarts: tool.restarts + 1 })
        await docker.startContainer(id, signal).catch((error: unknown) => {
          throw error instanceof EngineError && !['down', 'hung', 'disk-full'].includes(error.fault)
            ? new ToolFailure('exited', `The container does not start: ${error.message}`, { cause: error })
            : error
        })
        if (given) await hand(secretsLine(tool.spec.secrets!, given), memory)
        if (tool.spec.transport.type === 'http') release(memory)
        memory.started = id
        memory.stopped = undefined
        memory.greeted = undefined
        memory.broken = undefined
        memory.held = undefined
      },

      async unpause({ tool, show }, { id }, signal) {
        show('unhealthy', { message: 'The container was paused from outside, and is made to go on' })
        try {
          await docker.unpauseContainer(id, signal)
        } catch (error) {
          // Whoever has paused it may have been faster.
          if ((await containers.find(tool, signal))?.observed.state === 'paused') throw error
        }
      },

      async open(work, { id }, signal) {
        const { tool, memory, show, opened } = work
        show('starting')
        const adopted = memory.started !== id || memory.greeted === id
        const target = await targetOf(work, id, adopted, signal)
        const deadline = AbortSignal.timeout(adopted ? ADOPTION_MS : HANDSHAKE_MS)
        try {
          const info = await sessions.open(target, AbortSignal.any([signal, deadline]))
          memory.session = id
          memory.sessionLost = false
          memory.greeted = id
          memory.spoken = { container: id, revision: info.protocolVersion }
          memory.sessionSince = now()
          memory.checkAt = now() + firstCheckMs
          memory.health = HEALTHY
          memory.held = undefined
          await opened(info)
          show('running')
          await dropOldImages(work, signal)
        } catch (error) {
          memory.spoken = undefined
          if (signal.aborted) throw error
          // When the server has exited or was paused, that says more than the silence after it.
          const after = (await containers.find(tool, signal))?.observed
          if (after && after.state !== 'running') return
          const why = deadline.aborted ? `it did not answer in ${HANDSHAKE_MS / 1_000} s` : toolFailureOf(error).message
          if (!adopted)
            countFailure(
              memory,
              { state: 'exited', reason: 'mcp_handshake_failed', message: `The MCP handshake failed: ${why}` },
              now(),
            )
          await stop(work, id, signal)
        }
      },

      async check(work, { id }, signal) {
        const { memory, show } = work
        const { health, nextMs, restart } = afterPing(memory.health, await answers(work, signal))
        memory.health = health
        memory.checkAt = now() + nextMs
        const message = `The server did not answer ${health.misses} pings in a row`
        memory.held = undefined
        if (health.state === 'healthy') {
          show('running')
          await dropOldImages(work, signal)
          return
        }
        const why = health.misses > 0 ? message : 'The server has just begun to answer again'
        memory.held = { state: 'unhealthy', reason: 'mcp_ping_failed', message: why }
        show('unhealthy', memory.held)
        if (!restart) return
        countFailure(memory, { state: 'exited', reason: 'mcp_ping_failed', message }, now())
        await stop(work, id, signal)
      },

      async stop(work, { id }, signal) {
        work.show('stopping')
        noteBroken(work.memory, now())
        await stop(work, id, signal)
      },

      async remove({ tool, memory, show, note }, { id }, signal) {
        show('stopping')
        closeSession(tool, memory)
        await containers.remove(id, signal)
        await note({
          containerId: undefined,
          secretsVersion: undefined,
          ...(tool.replace === id ? { replace: undefined } : {}),
        })
      },

      async forget({ tool, memory, show, forgotten }, _, signal) {
        show('stopping')
        closeSession(tool, memory)
        secrets.drop(tool.name)
        await parts.remove(tool, signal)
        for (const reference of tool.images)
          if (!deps.imageInUse(reference, tool.name)) await images.remove(reference, signal)
        await files.remove(tool.name)
        forgotten()
      },
    }

  /**
   * Attaches, opens the network to what this generation may reach, and looks at everything that must be so before the start: at
   * once, for a caller may wait. To be attached to what must not be started after all does nothing, nor does its open network.
   * @returns What the container is and should not be.
   */
  async function readyToStart(
    tool: AcceptedTool,
    details: ContainerDetails,
    memory: ToolMemory,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    release(memory)
    const isAttached = tool.spec.transport.type === 'stdio' || tool.spec.secrets !== undefined
    const [permitted, differences, channel] = await Promise.allSettled([
      parts.join(tool, signal).then(() => parts.permitStart(tool, signal)),
      containers.differences(tool, details, signal),
      isAttached ? attach(details.Id, signal) : undefined,
    ])
    if (channel.status === 'fulfilled' && channel.value)
      memory.channel = { container: details.Id, channel: channel.value }
    for (const look of [permitted, differences, channel]) if (look.status === 'rejected') throw look.reason
    return (differences as PromiseFulfilledResult<readonly string[]>).value
  }

  async function attach(id: string, signal: AbortSignal): Promise<ToolChannel> {
    const channel = await docker.attachContainer(id, { stderr: false }, signal)
    channel.stderr.resume()
    return channel
  }

  async function targetOf(
    { tool, found, memory }: ToolAtWork,
    id: string,
    adopted: boolean,
    signal: AbortSignal,
  ): Promise<ToolTarget> {
    const { transport } = tool.spec
    const { spoken } = memory
    const revision = spoken?.container === id ? { revision: spoken.revision } : {}
    const common = { name: tool.name, containerId: id, adopted, ...revision }
    await parts.join(tool, signal) // again: what runs may have been started by an earlier run of DTMA
    if (transport.type === 'http') {
      const { address, connect } = parts.roadTo(tool, found!.details, transport.port)
      return { ...common, transport: 'http', url: `http://${address}:${transport.port}${transport.path}`, connect }
    }
    const held = memory.channel
    memory.channel = undefined
    if (held?.container === id) return { ...common, transport: 'stdio', channel: held.channel }
    held?.channel.close()
    return { ...common, transport: 'stdio', channel: await attach(id, signal) }
  }

  /** Whether the server answers a ping in time. */
  async function answers({ tool }: ToolAtWork, signal: AbortSignal): Promise<boolean> {
    try {
      await sessions.check(tool.name, AbortSignal.any([signal, AbortSignal.timeout(CHECK_DEADLINE_MS)]))
      return true
    } catch (error) {
      if (signal.aborted) throw error
      return false
    }
  }

  async function stop({ tool, memory }: ToolAtWork, id: string, signal: AbortSignal): Promise<void> {
    closeSession(tool, memory)
    memory.stopped = id
    const stale = isStale(tool.secretsVersion, secrets.of(tool.name))
    await (stale ? containers.stop(id, signal, WITHDRAWN_GRACE_SECONDS) : containers.stop(id, signal))
  }

  /** What the tool is to be started with; `undefined` when it takes none. @throws {ToolFailure} `missing_credential` */
  function requireSecrets({ name, spec }: AcceptedTool): SecretValues | undefined {
    if (!spec.secrets) return undefined
    const held = secrets.of(name)
    const missing = missingAmong(spec.secrets, held)
    if (missing.length === 0 && held !== undefined && held !== 'withdrawn') return held
    const which = missing.length > 0 ? `: ${missing.join(', ')}` : ''
    throw new ToolFailure('missing_credential', `The tool waits for its secrets${which}`, { lasting: true })
  }

  function closeSession({ name }: AcceptedTool, memory: ToolMemory): void {
    sessions.close(name)
    memory.session = undefined
    release(memory)
  }

  async function dropOldImages({ tool, note }: ToolAtWork, signal: AbortSignal): Promise<void> {
    const old = tool.images.slice(0, -imagesKept(tool))
    if (old.length === 0) return
    for (const reference of old) if (!deps.imageInUse(reference, tool.name)) await images.remove(reference, signal)
    await note({ images: tool.images.slice(-imagesKept(tool)) })
  }

  /** Sets when to try again after a step has failed, and what to show until then. */
  function failed({ memory }: ToolAtWork, failure: ToolFailure): void {
    const { reason, message, lasting } = failure
    memory.lasting = lasting
    memory.backoff = lasting ? failedForGood(memory.backoff, now()) : failedOnce(memory.backoff, now(), FIRST_RETRY_MS)
    memory.held = { state: reason === 'exited' ? 'exited' : 'blocked', reason, message }
    release(memory)
  }

  return { steps, failed }
}

function release(memory: ToolMemory): void {
  memory.channel?.channel.close()
  memory.channel = undefined
}

/** Resolves when Docker has taken the line, which the container reads before anything else. */
function hand(line: string, { channel }: ToolMemory): Promise<void> {
  return new Promise((resolve, reject) => {
    channel!.channel.stdin.write(line, (error) => (error ? reject(error) : resolve()))
  })
}

/** What a tag means from now on for this tool; what other tags meant is kept for as long as their images are. */
function pinnedIn({ spec, pins = {}, images }: AcceptedTool, reference: string): Pick<AcceptedTool, 'pins'> {
  const { package: pkg } = spec
  if (pkg.type !== 'oci' || pkg.archive !== undefined || pkg.image.includes('@')) return {}
  if (!reference.includes('@')) return {} // built of what is pinned already
  const kept = Object.entries(pins).filter(([, pinned]) => images.includes(pinned))
  return { pins: { ...Object.fromEntries(kept), [pkg.image]: reference } }
}

const withLast = (references: readonly string[], last: string): string[] => [
  ...references.filter((reference) => reference !== last),
  last,
]
