import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails, ContainerSummary, EngineInfo, ImageDetails } from '../engine/docker.types.ts'
import { EngineError } from '../engine/engine-error.ts'
import { type ContainerInput, createBody, STOP_GRACE_SECONDS } from './create-body.ts'
import type { ObservedContainer } from './next-step.ts'
import type { AcceptedTool } from './spec-file.ts'
import { ToolFailure } from './tool-failure.ts'
import { containerNameOf, LABEL } from './tool-labels.ts'
import type { ToolParts } from './tool-parts.ts'
import { verifyContainer } from './verify-container.ts'

/** The containers of our tools. Sees only those whose labels and the state directory agree that they are ours. */
export interface ToolContainers {
  /** @throws {EngineError} When Docker cannot say; then nothing may be concluded. */
  find(tool: AcceptedTool, signal: AbortSignal): Promise<FoundContainer | undefined>
  /** @returns The id of the new container, not started. @throws {ToolFailure} `name_conflict`, `policy_denied`, … */
  create(tool: AcceptedTool, image: ImageDetails, signal: AbortSignal): Promise<string>
  /** What this container is and should not be, or the other way round; nothing: it may be started. */
  differences(tool: AcceptedTool, container: ContainerDetails, signal: AbortSignal): Promise<readonly string[]>
  /** @param graceSeconds Between SIGTERM and SIGKILL. */
  stop(id: string, signal: AbortSignal, graceSeconds?: number): Promise<void>
  remove(id: string, signal: AbortSignal): Promise<void>
}

export interface FoundContainer {
  readonly observed: ObservedContainer
  readonly details: ContainerDetails
}

export interface ToolContainersDeps {
  readonly docker: DockerApi
  readonly parts: ToolParts
  readonly owner: string
}

export function createToolContainers({ docker, parts, owner }: ToolContainersDeps): ToolContainers {
  let info: EngineInfo | undefined

  /** Of this engine; asked for once, since it changes only when Docker is installed anew. */
  async function engine(signal: AbortSignal): Promise<EngineInfo> {
    info ??= await docker.info(signal)
    return info
  }

  const inputOf = async (tool: AcceptedTool, image: ImageDetails, signal: AbortSignal): Promise<ContainerInput> => ({
    name: tool.name,
    generation: tool.generation,
    spec: tool.spec,
    claim: tool.claim,
    owner,
    image,
    engine: await engine(signal),
  })

  /** Until its id is noted, the claim alone proves a container ours. */
  async function claimed(tool: AcceptedTool, signal: AbortSignal): Promise<string | undefined> {
    const listed = await docker.listContainers(`${LABEL.claim}=${tool.claim}`, signal)
    return oursAmong(listed, tool, owner)?.Id
  }

  return {
    async find(tool, signal) {
      const id = tool.containerId ?? (await claimed(tool, signal))
      const details = id === undefined ? undefined : await docker.inspectContainer(id, signal)
      return details && isOurs(details.Config.Labels, tool, owner)
        ? { details, observed: observedOf(details) }
        : undefined
    },

    async create(tool, image, signal) {
      const body = createBody(await inputOf(tool, image, signal))
      if (body.Entrypoint.length + body.Cmd.length === 0)
        throw new ToolFailure('policy_denied', 'The image has no command, and the spec gives none', { lasting: true })
      await parts.ensure(tool, image, signal)
      try {
        return await docker.createContainer(containerNameOf(tool.name, tool.generation), body, signal)
      } catch (error) {
        if (error instanceof EngineError && error.fault === 'conflict')
          throw new ToolFailure(
            'name_conflict',
            `A container named ${containerNameOf(tool.name, tool.generation)} exists that is not ours`,
          )
        throw error
      }
    },

    async differences(tool, container, signal) {
      const image = await docker.inspectImage(container.Image, signal)
      if (!image) return ['Image']
      const body = createBody(await inputOf(tool, image, signal))
      const isNamed = container.Name === `/${containerNameOf(tool.name, tool.generation)}`
      return [...(isNamed ? [] : ['Name']), ...verifyContainer(body, container, image, await engine(signal))]
    },

    stop: (id, signal, graceSeconds = STOP_GRACE_SECONDS) => docker.stopContainer(id, graceSeconds, signal),
    remove: (id, signal) => docker.removeContainer(id, signal),
  }
}

/**
 * Labels are not enough: an image may bring them, anybody may set them. The claim is known to our state directory alone, and
 * once we have noted the id of the container that we made, only that id counts.
 */
export function oursAmong(
  listed: readonly ContainerSummary[],
  tool: Pick<AcceptedTool, 'claim'>,
  owner: string,
): ContainerSummary | undefined {
  const ours = listed.filter(({ Labels }) => isOurs(Labels, tool, owner))
  if (ours.length > 1)
    throw new ToolFailure('name_conflict', 'Several containers claim to be this tool; none is touched')
  return ours[0]
}

const isOurs = (labels: ContainerSummary['Labels'], { claim }: Pick<AcceptedTool, 'claim'>, owner: string): boolean =>
  labels[LABEL.claim] === claim && labels[LABEL.owner] === owner

const observedOf = ({ Id, Config: { Labels }, State }: ContainerDetails): ObservedContainer => ({
  id: Id,
  generation: Number(Labels[LABEL.generation]),
  specHash: Labels[LABEL.spec] ?? '',
  state: stateOf(State.Status),
})

const STATES = ['created', 'paused', 'exited', 'dead', 'removing'] as const

/** `restarting` is seen only where somebody has changed the restart policy, by which it is told from what was asked for. */
const stateOf = (status: string): ObservedContainer['state'] => STATES.find((state) => state === status) ?? 'running'
