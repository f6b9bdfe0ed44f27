import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerSummary, Docker } from './docker.ts'
import { LABELS } from './dtma-container.ts'

export interface Stopped {
  readonly dtma: number
  readonly tools: number
}

/** Label under which DTMA knows its containers; the value is in the file `owner` of its state directory. */
const OWNER_LABEL = 'dtma.owner'
const OWNER_FILE = 'owner'
const DTMA_GRACE_SECONDS = 15
const TOOL_GRACE_SECONDS = 5

/**
 * Stops and removes the DTMA of this data directory, then the containers of its tools. Their volumes and everything on
 * disk stay: the next start brings all of it back. Repeatable; works without a control plane or a database.
 */
export async function stopLocalToolbox(docker: Docker, dataDir: string, signal: AbortSignal): Promise<Stopped> {
  const dtma = await docker.list(`${LABELS.home}=${dataDir}`, signal)
  await endAll(docker, dtma, DTMA_GRACE_SECONDS, signal) // first: it would start its tools again
  const owner = await ownerOf(join(dataDir, 'dtma'))
  const tools = owner === undefined ? [] : await docker.list(`${OWNER_LABEL}=${owner}`, signal)
  await endAll(docker, tools, TOOL_GRACE_SECONDS, signal)
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

/** `undefined`: DTMA has never run here, so it has no tools. */
async function ownerOf(stateDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(stateDir, OWNER_FILE), 'utf8')).trim() || undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
