import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { Isolation } from '../contract/status.ts'
import type { Egress } from '../egress/egress.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails, ImageDetails } from '../engine/docker.types.ts'
import { isIsolated } from '../engine/networks.api.ts'
import type { Firewall } from '../firewall/firewall.ts'
import { type ContainerInput, createBody, networkOf, stateMount } from './create-body.ts'
import type { AcceptedTool } from './spec-file.ts'
import { ToolFailure } from './tool-failure.ts'
import { LABEL, resourceNameOf } from './tool-labels.ts'

/** What a tool has beside its container: a network and a volume of its own. Touches nothing that is not proven to be ours. */
export interface ToolParts {
  /** Makes what the spec needs. @throws {ToolFailure} `name_conflict`: somebody else's network or volume is in the way. */
  ensure(tool: AcceptedTool, image: ImageDetails, signal: AbortSignal): Promise<void>
  /** Must be asked before each start, when the parts are there and joined. @throws {ToolFailure} `isolation_failed` */
  permitStart(tool: AcceptedTool, signal: AbortSignal): Promise<void>
  /**
   * Opens the tool's network to what its spec declares, and to us; nothing when it has none. The network is that of all
   * generations: before a container starts it is opened anew.
   */
  join(tool: AcceptedTool, signal: AbortSignal): Promise<void>
  /** How the server in this container is reached, once the network was joined. */
  roadTo(tool: AcceptedTool, container: ContainerDetails, port: number): Road
  /** Removes all of it, the state too. */
  remove(tool: AcceptedTool, signal: AbortSignal): Promise<void>
}

interface Road {
  readonly address: string
  readonly connect: () => Promise<Socket>
}

export interface ToolPartsDeps {
  readonly docker: DockerApi
  readonly owner: string
  readonly egress: Pick<Egress, 'join' | 'leave' | 'connect'>
  /** What the probe has found last. */
  readonly isolation: () => Isolation
  readonly firewall: Pick<Firewall, 'require' | 'wake'>
}

/** As long as Docker is given for any change. */
const HELPER_MS = 30_000
const helperNameOf = ({ name }: AcceptedTool): string => `${resourceNameOf(name)}-state`

export function createToolParts({ docker, owner, egress, isolation, firewall }: ToolPartsDeps): ToolParts {
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
    if (existing && isIsolated(existing) && wanted === 'isolated') return
    if (existing) await removeNetwork(tool, signal)
    if (wanted === 'isolated') await docker.createIsolatedNetwork(name, labelsOf(tool), signal)
  }

  async function removeNetwork(tool: AcceptedTool, signal: AbortSignal): Promise<void> {
    const network = await docker.inspectNetwork(resourceNameOf(tool.name), signal)
    if (!network || !isOurs(tool, network.Labels)) return
    await egress.leave(network.Name, signal)
    await docker.removeNetwork(network.Id, signal)
    firewall.wake()
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
    const Mounts = [stateMount(tool.name, '/state/volume')]
    const HostConfig = { ...body.HostConfig, ReadonlyRootfs: false, Tmpfs: {}, Mounts }
    // Not the tool's container: nobody takes it for one.
    const Labels = { ...body.Labels, [LABEL.claim]: '', [LABEL.helper]: tool.claim }
    await removeHelper(tool, signal)
    // Not cut off by what is wanted meanwhile: Docker would finish it all the same, and we would not know its id.
    const limit = AbortSignal.timeout(HELPER_MS)
    const id = await docker.createContainer(helperNameOf(tool), { ...body, Labels, HostConfig }, limit)
    try {
      const tar = pack()
      tar.entry({ name: 'volume', type: 'directory', mode: 0o700, uid: 65_532, gid: 65_532 })
      tar.finalize()
      await docker.putArchive(id, '/state', Readable.from(tar), signal)
    } finally {
      await docker.removeContainer(id, AbortSignal.timeout(HELPER_MS))
    }
  }

  /** What we died over while the volume was prepared, or what Docker made after we had given up. It uses the volume. */
  async function removeHelper(tool: AcceptedTool, signal: AbortSignal): Promise<void> {
    const left = await docker.inspectContainer(helperNameOf(tool), signal)
    if (left?.Config.Labels[LABEL.helper] === tool.claim) await docker.removeContainer(left.Id, signal)
  }

  return {
    async ensure(tool, image, signal) {
      await ensureNetwork(tool, signal)
      await ensureVolume(tool, image, signal)
    },
    async permitStart({ spec }, signal) {
      if (networkOf(spec) === 'none') return
      const { state, leaks } = isolation()
      if (state === 'failed')
        throw new ToolFailure('isolation_failed', `A tool with a network would reach: ${leaks.join(', ')}`)
      await firewall.require(signal)
    },
    async join({ name, spec }, signal) {
      if (networkOf(spec) !== 'none') await egress.join(resourceNameOf(name), spec.egress, signal)
    },
    roadTo(tool, container, port) {
      const address = container.NetworkSettings.Networks[resourceNameOf(tool.name)]?.IPAddress
      if (!address) throw new ToolFailure('internal', 'The container has no address on its network')
      return { address, connect: () => egress.connect(address, port) }
    },
    async remove(tool, signal) {
      await removeNetwork(tool, signal)
      await removeHelper(tool, signal)
      const name = resourceNameOf(tool.name)
      const volume = await docker.inspectVolume(name, signal)
      if (volume && isOurs(tool, volume.Labels)) await docker.removeVolume(name, signal)
    },
  }
}
