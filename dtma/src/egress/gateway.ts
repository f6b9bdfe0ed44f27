import type { Socket } from 'node:net'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { pathOnMachine } from '../tools/self-container.ts'
import { ToolFailure } from '../tools/tool-failure.ts'
import { LABEL } from '../tools/tool-labels.ts'
import { GATEWAY_SCRIPT, type GatewayPolicy, LINE_INSIDE } from './gateway.script.ts'
import { openGatewayLine } from './gateway-line.ts'
import { scriptContainer } from './script-container.ts'

/** The running gateway container and the line to it. */
export interface Gateway {
  /** Of the container. */
  readonly id: string
  /** Replaces what it allows. */
  apply(policy: GatewayPolicy, signal: AbortSignal): Promise<void>
  /** A connection to a server in a tool. Rejects as a socket's does when there is none. */
  connect(address: string, port: number): Promise<Socket>
  /** Resolves when the line is broken: the gateway has ended. */
  readonly closed: Promise<void>
  /** Leaves the container running. */
  close(): void
}

export interface GatewayDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** Id of an image with Node. */
  readonly image: (signal: AbortSignal) => Promise<string>
  /** Addresses of the name servers to ask for hosts outside. Absent: those of the machine. */
  readonly nameServers?: readonly string[] | undefined
  /** As this process names it: in it lies the socket between the gateway and us. */
  readonly stateDirectory: string
  /** The container that DTMA itself runs in, if any. */
  readonly self: (signal: AbortSignal) => Promise<ContainerDetails | undefined>
}

export const gatewayNameOf = (owner: string): string => `dtma-gateway-${owner.slice(0, 12)}`

const COME_MS = 10_000
const APPLY_MS = 10_000

/** Makes a new gateway in the place of whatever was left of the last one. @throws {ToolFailure | EngineError} */
export async function startGateway(deps: GatewayDeps, signal: AbortSignal): Promise<Gateway> {
  await removeGateway(deps, signal)
  const line = await openGatewayLine(deps.stateDirectory)
  const apply = (policy: GatewayPolicy, limit: AbortSignal) => line.apply(policy, within(APPLY_MS, limit))
  try {
    const id = await startContainer(deps, line.directory, signal)
    await line.ready(within(COME_MS, signal)).catch((cause: unknown) => {
      throw new ToolFailure('internal', 'The gateway of the tools was started and has not come to DTMA', { cause })
    })
    // Its answer says that it has read what it must before it joins a network.
    await apply({ routes: [], refused: [] }, signal)
    return { id, closed: line.closed, close: line.close, apply, connect: line.connect }
  } catch (error) {
    line.close()
    throw error
  }
}

const within = (ms: number, signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(ms)])

async function startContainer(deps: GatewayDeps, directory: string, signal: AbortSignal): Promise<string> {
  const { docker, owner, nameServers } = deps
  const Source = pathOnMachine(await deps.self(signal), directory)
  if (Source === undefined)
    throw new ToolFailure(
      'internal',
      `The container of DTMA has no mount for its state directory, ${deps.stateDirectory}`,
    )
  const body = scriptContainer({
    image: await deps.image(signal),
    owner,
    // The one network of Docker's that leads out, with the machine's name servers.
    network: 'bridge',
    script: GATEWAY_SCRIPT,
    nameServers,
    mounts: [{ Type: 'bind', Source, Target: LINE_INSIDE, ReadOnly: true }],
  })
  const id = await docker.createContainer(gatewayNameOf(owner), body, signal)
  await docker.startContainer(id, signal)
  return id
}

/** @throws {ToolFailure} `name_conflict` when a container of this name is somebody else's. */
export async function removeGateway(
  { docker, owner }: Pick<GatewayDeps, 'docker' | 'owner'>,
  signal: AbortSignal,
): Promise<void> {
  const name = gatewayNameOf(owner)
  const container = await docker.inspectContainer(name, signal)
  if (!container) return
  if (container.Config.Labels[LABEL.owner] !== owner)
    throw new ToolFailure('name_conflict', `A container named ${name} exists that is not ours`)
  await docker.removeContainer(container.Id, signal)
}
