import type { DockerApi } from '../engine/docker.api.ts'

/** Address of this machine on Docker's own bridge, where containers that are built come from. */
export async function dockerBridgeAddress(docker: Pick<DockerApi, 'inspectNetwork'>): Promise<string> {
  const bridge = await docker.inspectNetwork('bridge', AbortSignal.timeout(10_000))
  const subnet = bridge?.IPAM.Config[0]?.Subnet
  if (!subnet) throw new Error('Docker has no bridge of its own')
  return subnet.replace(/\d+\/\d+$/, '1')
}
