import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './dtma-process.testing.ts'
import { createDockerApi } from './engine/docker.api.ts'
import { createEngineHttp } from './engine/engine.http.ts'
import { LABEL } from './tools/tool-labels.ts'

const REMOVE_MS = 30_000

/**
 * Removes the state directory of a DTMA that has ended for good, and what it left on Docker: it keeps its gateway, and perhaps a probe
 * that was under way, for the next start, of which there is none.
 */
export async function takeAway(directory: string): Promise<void> {
  const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
  const { signal } = new AbortController()
  const label = `${LABEL.owner}=${(await readFile(join(directory, 'owner'), 'utf8')).trim()}`
  // One that is being removed already cannot be removed again, and is still there.
  await until(async () => {
    const left = await docker.listContainers(label, signal)
    for (const { Id } of left) await docker.removeContainer(Id, signal)
    return left.length === 0
  }, REMOVE_MS)
  for (const { Name } of await docker.listNetworks(label, signal)) await docker.removeNetwork(Name, signal)
  await rm(directory, { recursive: true })
}
