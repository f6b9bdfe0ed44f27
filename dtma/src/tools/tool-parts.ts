import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails, ImageDetails } from '../engine/docker.types.ts'
import { type ContainerInput, createBody, networkOf } from './create-body.ts'
import { sharesHostNetwork } from './self-container.ts'
import type { AcceptedTool } from './spec-file.ts'
import { ToolFailure } from './tool-failure.ts'
import { LABEL, resourceNameOf } from './tool-labels.ts'

/** What a tool has beside its container: a network and a volume of its own. Touches nothing that is not proven to be ours. */
export interface ToolParts {
  /** Makes what the spec needs. @throws {ToolFailure} `name_conflict` when somebody else's network or volume is in the way. */
  ensure(tool: AcceptedTool, image: ImageDetails, signal: AbortSignal): Promise<void>
  /** Where the server in this container is reached. DTMA joins the tool's network when it must. */
  addressOf(tool: AcceptedTool, container: ContainerDetails, signal: AbortSignal): Promise<string>
  /** Removes all of it, the state too. */
  remove(tool: AcceptedTool, signal: AbortSignal): Promise<void>
}

export interface ToolPartsDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** The container that DTMA itself runs in, if any. */
  readonly self: (signal: AbortSignal) => Promise<ContainerDetails | undefined>
}

export function createToolParts({ docker, owner, self }: ToolPartsDeps): ToolParts {
  const labelsOf = ({ name, claim }: AcceptedTool) => ({
    [LABEL.owner]: owner,
    [LABEL.claim]: claim,
    [LABEL.instance]: name,
  })
  const isOurs = (tool: AcceptedTool, labels: Readonly<Record<string, string>>): boolean =>
    labels[LABEL.owner] === owner && labels[LABEL.claim] === tool.claim

  async function ensureNetwork(tool: AcceptedTool, signal: AbortSignal): Promise<void> {
    const name = resourceNameOf(tool.name)
    const wanted = networkOf(tool.spec)
    const existing = await docker.inspectNetwork(name, signal)
    if (existing && !isOurs(tool, existing.Labels)) {
      if (wanted === 'none') return
      throw new ToolFailure('name_conflict', `A network named ${name} exists that is not ours`)
    }
    if (existing && existing.Internal === (wanted === 'internal') && wanted !== 'none') return
    if (existing) await removeNetwork(tool, signal)
    if (wanted !== 'none') await docker.createNetwork(name, wanted === 'internal', labelsOf(tool), signal)
  }

  async function removeNetwork(tool: AcceptedTool, signal: AbortSignal): Promise<void> {
    const network = await docker.inspectNetwork(resourceNameOf(tool.name), signal)
    if (!network || !isOurs(tool, network.Labels)) return
    const own = await self(signal)
    if (own && network.Containers.includes(own.Id)) await docker.disconnectNetwork(network.Id, own.Id, signal)
    await docker.removeNetwork(network.Id, signal)
  }

  async function ensureVolume(tool: AcceptedTool, image: ImageDetails, signal: AbortSignal): Promise<void> {
    if (!tool.spec.state) return
    const name = resourceNameOf(tool.name)
    const existing = await docker.inspectVolume(name, signal)
    if (existing && !isOurs(tool, existing.Labels))
      throw new ToolFailure('name_conflict', `A volume named ${name} exists that is not ours`)
    if (!existing) await docker.createVolume(name, labelsOf(tool), signal)
    // Each time: we may have died between the two.
    await giveVolumeToTool(tool, image, signal)
  }

  /**
   * Docker makes a volume that only root may write. A container that is created and never started is enough to change that:
   * an archive with one directory in it, unpacked onto the volume, brings the owner along. No code runs.
   */
  async function giveVolumeToTool(tool: AcceptedTool, image: ImageDetails, signal: AbortSignal): Promise<void> {
    const input: ContainerInput = { ...tool, owner, image, engine: { NCPU: 1, SecurityOptions: [] } }
    const body = createBody({ ...input, spec: { ...tool.spec, egress: 'none', transport: { type: 'stdio' } } })
    const mount = {
      Type: 'volume',
      Source: resourceNameOf(tool.name),
      Target: '/state/volume',
      ReadOnly: false,
    } as const
    const HostConfig = { ...body.HostConfig, ReadonlyRootfs: false, Tmpfs: {}, Mounts: [mount] }
    // Not the tool's container: nobody takes it for one.
    const Labels = { ...body.Labels, [LABEL.claim]: '', [LABEL.helper]: tool.claim }
    const name = `${resourceNameOf(tool.name)}-state`
    const left = await docker.inspectContainer(name, signal)
    if (left && (left.Config['Labels'] as Record<string, string> | null)?.[LABEL.helper] === tool.claim)
      await docker.removeContainer(left.Id, signal)
    const id = await docker.createContainer(name, { ...body, Labels, HostConfig }, signal)
    try {
      const tar = pack()
      tar.entry({ name: 'volume', type: 'directory', mode: 0o700, uid: 65_532, gid: 65_532 })
      tar.finalize()
      await docker.putArchive(id, '/state', Readable.from(tar), signal)
    } finally {
      await docker.removeContainer(id, AbortSignal.timeout(10_000))
    }
  }

  return {
    async ensure(tool, image, signal) {
      await ensureNetwork(tool, signal)
      await ensureVolume(tool, image, signal)
    },
    async addressOf(tool, container, signal) {
      const name = resourceNameOf(tool.name)
      const own = await self(signal)
      if (own && !sharesHostNetwork(own)) {
        const network = await docker.inspectNetwork(name, signal)
        if (network && !network.Containers.includes(own.Id)) await docker.connectNetwork(network.Id, own.Id, signal)
      }
      const address = container.NetworkSettings.Networks[name]?.IPAddress
      if (!address) throw new ToolFailure('internal', 'The container has no address on its network')
      return address
    },
    async remove(tool, signal) {
      await removeNetwork(tool, signal)
      const name = resourceNameOf(tool.name)
      const volume = await docker.inspectVolume(name, signal)
      if (volume && isOurs(tool, volume.Labels)) await docker.removeVolume(name, signal)
    },
  }
}
