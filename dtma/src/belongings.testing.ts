import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createDockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { LABEL } from './tools/tool-labels.ts'

/**
 * Removes the state directory of a DTMA that has ended for good, and what it left on Docker: it keeps its gateway, and perhaps a probe
 * that was under way, for the next start, of which there is none.
 */
export async function takeAway(directory: string): Promise<void> {
  const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
  const { signal } = new AbortController()
  const label = `${LABEL.owner}=${(await readFile(join(directory, 'owner'), 'utf8')).trim()}`
  for (const { Id } of await docker.listContainers(label, signal)) await docker.removeContainer(Id, signal)
  for (const { Name } of await docker.listNetworks(label, signal)) await docker.removeNetwork(Name, signal)
  await rm(directory, { recursive: true })
}
