import { networkInterfaces } from 'node:os'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { sharesHostNetwork } from '../tools/self-container.ts'
import { runToEnd } from './run-script.ts'
import { scriptContainer } from './script-container.ts'

export interface HostAddressesDeps {
  readonly docker: DockerApi
  readonly owner: string
  readonly image: (signal: AbortSignal) => Promise<string>
  /** The container that DTMA itself runs in, if any. */
  readonly self: (signal: AbortSignal) => Promise<ContainerDetails | undefined>
}

const SCRIPT = "console.log(JSON.stringify(require('node:os').networkInterfaces()))"

/** The IPv4 addresses of this machine, but its loopback. From inside a container of its own network, a second one has to look. */
export async function hostAddresses(deps: HostAddressesDeps, signal: AbortSignal): Promise<readonly string[]> {
  if (sharesHostNetwork(await deps.self(signal))) return ipv4Of(networkInterfaces())
  const { docker, owner } = deps
  const body = scriptContainer({ image: await deps.image(signal), owner, network: 'host', script: SCRIPT })
  const text = await runToEnd(docker, `dtma-addresses-${owner.slice(0, 12)}`, body, signal)
  return ipv4Of(JSON.parse(text) as ReturnType<typeof networkInterfaces>)
}

const ipv4Of = (interfaces: ReturnType<typeof networkInterfaces>): string[] =>
  Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
