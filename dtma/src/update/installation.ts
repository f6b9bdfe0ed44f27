import { problem } from '../contract/problems.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { containerInstallation } from './container.installation.ts'
import type { Installation } from './self-update.ts'
import { type ServiceInstallationDeps, serviceInstallation } from './service.installation.ts'

export interface InstallationDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** Origin of the control plane; absent: there is none. */
  readonly baseUrl: string | undefined
  /** Of a DTMA that is a service of the system: where its later versions are, and whether it is one on trial. */
  readonly service: Pick<ServiceInstallationDeps, 'directory' | 'onTrial' | 'restart'> | undefined
  /** The container that this process runs in; `undefined`: none. */
  readonly self: (signal: AbortSignal) => Promise<ContainerDetails | undefined>
}

/** Finds out how this DTMA was installed. */
export const installationOf =
  ({ docker, owner, baseUrl, service, self }: InstallationDeps) =>
  async (signal: AbortSignal): Promise<Installation> => {
    if (baseUrl === undefined) throw problem('update-unavailable', 'This DTMA belongs to no control plane')
    if (service) return serviceInstallation({ ...service, baseUrl })
    const own = await self(signal)
    if (own) return containerInstallation({ docker, owner, baseUrl, self: own })
    throw problem(
      'update-unavailable',
      'This DTMA neither runs in a container of this Docker nor is a service that may replace itself',
    )
  }
