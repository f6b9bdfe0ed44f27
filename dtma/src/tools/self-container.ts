import { join, relative, resolve } from 'node:path'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'

/** Where this process says which container it runs in. */
export interface SelfHints {
  /** Text of /proc/self/mountinfo; empty when it cannot be read. */
  readonly mountInfo: string
  /** In a container: the first twelve digits of its id, unless somebody set another one. */
  readonly hostname: string
}

/** Ids that this process's container may have, best first. A process outside of any container yields at most its host's name. */
export function selfIdsOf({ mountInfo, hostname }: SelfHints): readonly string[] {
  const mounted = /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) /.exec(mountInfo)?.[1]
  const named = /^[0-9a-f]{12}$/.test(hostname) ? hostname : undefined
  return [mounted, named].filter((id) => id !== undefined)
}

/** The container that DTMA runs in. `undefined`: it is a plain process, or another engine's container. */
export async function findSelf(
  docker: Pick<DockerApi, 'inspectContainer'>,
  hints: SelfHints,
  signal: AbortSignal,
): Promise<ContainerDetails | undefined> {
  for (const id of selfIdsOf(hints)) {
    const self = await docker.inspectContainer(id, signal)
    if (self?.Id.startsWith(id) && self.State.Running) return self
  }
  return undefined
}

/** Whether the addresses of containers are reachable without joining their networks. */
export const sharesHostNetwork = (self: ContainerDetails | undefined): boolean =>
  self === undefined || self.HostConfig['NetworkMode'] === 'host'

/**
 * How the machine names a path of this process, for Docker to give it to another container.
 * @returns `undefined`: it lies inside of our container.
 */
export function pathOnMachine(self: Pick<ContainerDetails, 'Mounts'> | undefined, path: string): string | undefined {
  const absolute = resolve(path)
  if (!self) return absolute
  const around = self.Mounts.filter(
    ({ Source, Destination }) => Source !== '' && !/^\.\.(?:\/|$)/.test(relative(Destination, absolute)),
  )
  const [mount] = around.sort((a, b) => b.Destination.length - a.Destination.length)
  return mount && join(mount.Source, relative(mount.Destination, absolute))
}
