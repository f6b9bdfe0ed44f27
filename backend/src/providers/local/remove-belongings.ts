import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Docker } from './docker.ts'

/** Label under which DTMA knows what is its own; the value is in the file `owner` of its state directory. */
export const OWNER_LABEL = 'dtma.owner'
const OWNER_FILE = 'owner'

/** `undefined`: DTMA has never run here, so nothing is its own. */
export async function ownerOf(stateDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(stateDir, OWNER_FILE), 'utf8')).trim() || undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Takes away everything that a DTMA has made, after it has ended for good: its tools with what they kept, its gateway, its
 * probe, their networks, and the images that it built. Repeatable.
 */
export async function removeBelongings(docker: Docker, owner: string, signal: AbortSignal): Promise<void> {
  const label = `${OWNER_LABEL}=${owner}`
  // Containers first: they hold the rest.
  for (const { Id } of await docker.list(label, signal)) await docker.remove(Id, signal)
  for (const kind of ['networks', 'volumes', 'images'] as const)
    for (const name of await docker.listParts(kind, label, signal)) await docker.removePart(kind, name, signal)
}
