import { join } from 'node:path'
import type { ContainerSummary, Docker } from './docker.ts'
import { LABELS } from './dtma-container.ts'
import { forgetFirewall } from './forget-firewall.ts'
import { OWNER_LABEL, ownerOf } from './remove-belongings.ts'

export interface Stopped {
  readonly dtma: number
  readonly tools: number
}

const DTMA_GRACE_SECONDS = 15
const TOOL_GRACE_SECONDS = 5

/**
 * Stops and removes the DTMA of this data directory; then the containers of its tools, and its rules in the firewall. Volumes and
 * everything on disk stay: the next start brings all of it back. Repeatable; works without a control plane or a database.
 */
export async function stopLocalToolbox(
  docker: Docker,
  { dataDir, image }: { readonly dataDir: string; readonly image: string },
  signal: AbortSignal,
): Promise<Stopped> {
  const dtma = await docker.list(`${LABELS.home}=${dataDir}`, signal)
  await endAll(docker, dtma, DTMA_GRACE_SECONDS, signal) // first: it would start its tools again
  const owner = await ownerOf(join(dataDir, 'dtma'))
  const tools = owner === undefined ? [] : await docker.list(`${OWNER_LABEL}=${owner}`, signal)
  await endAll(docker, tools, TOOL_GRACE_SECONDS, signal)
  const imageId = await docker.imageId(image, signal)
  if (owner !== undefined && imageId !== undefined) await forgetFirewall(docker, { owner, image: imageId }, signal)
  return { dtma: dtma.length, tools: tools.length }
}

async function endAll(docker: Docker, found: readonly ContainerSummary[], grace: number, signal: AbortSignal) {
  await Promise.all(
    found.map(async ({ Id }) => {
      await docker.stop(Id, grace, signal)
      await docker.remove(Id, signal)
    }),
  )
}
