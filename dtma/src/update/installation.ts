import { problem } from '../contract/problems.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { containerInstallation } from './container.installation.ts'
import type { Installation } from './self-update.ts'

export interface InstallationDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** Origin of the control plane; absent: there is none. */
  readonly baseUrl: string | undefined
  /** The container that this process runs in; `undefined`: none. */
  readonly self: (signal: AbortSignal) => Promise<ContainerDetails | undefined>
}

/** Finds out how this DTMA was installed. */
export const installationOf =
  ({ docker, owner, baseUrl, self }: InstallationDeps) =>
  async (signal: AbortSignal): Promise<Installation> => {
    if (baseUrl === undefined) throw problem('update-unavailable', 'This DTMA belongs to no control plane')
    const own = await self(signal)
    if (own) return containerInstallation({ docker, owner, baseUrl, self: own })
    throw problem('update-unavailable', 'This DTMA does not run in a container of this Docker')
  }
