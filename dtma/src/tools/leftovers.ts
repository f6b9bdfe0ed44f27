import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { Log } from '../log.ts'
import { LABEL } from './tool-labels.ts'

export interface LeftoversDeps {
  readonly docker: Pick<
    DockerApi,
    'listImages' | 'removeImage' | 'listUnnamedImages' | 'removeUnnamedImage' | 'listNetworks' | 'removeNetwork'
  >
  readonly owner: string
  /** A build that is under way may use any image that an earlier one has left. */
  readonly isBuilding: () => boolean
  /** Images and networks that are of use, by reference and by name. */
  readonly inUse: () => { readonly images: ReadonlySet<string>; readonly networks: ReadonlySet<string> }
  readonly log: Log
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
}

/** After the start, when the tools have said what they need; then every six hours. */
const FIRST_MS = 600_000
const EVERY_MS = 6 * 3_600_000

/** Clears away what we built or made, and died before we could note it. State volumes are never among it: they are data. */
export async function keepTidy(deps: LeftoversDeps): Promise<void> {
  const { log, sleep, signal } = deps
  for (let ms = FIRST_MS; !signal.aborted; ms = EVERY_MS) {
    await sleep(ms, signal)
    if (signal.aborted) return
    await clearLeftovers(deps).catch((error: unknown) => log.warn('leftovers could not be cleared away', { error }))
  }
}

/** @returns What was removed. @throws {EngineError} When Docker cannot say what is there. */
export async function clearLeftovers(deps: LeftoversDeps): Promise<readonly string[]> {
  const { docker, owner, isBuilding, inUse, log, signal } = deps
  const label = `${LABEL.owner}=${owner}`
  const [images, networks] = await Promise.all([docker.listImages(label, signal), docker.listNetworks(label, signal)])
  // After the lists: what is begun meanwhile is not in them.
  const used = inUse()
  const removed: string[] = []

  async function remove(name: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
      removed.push(name)
    } catch (error) {
      if (!(error instanceof EngineError && error.fault === 'conflict')) throw error // a container uses it
    }
  }

  /** What builds have left: stages, and how far one came that failed. What lies under an image shows when it has gone. */
  async function removeUnnamed(): Promise<void> {
    for (let before = -1; before < removed.length; ) {
      before = removed.length
      for (const { Id } of await docker.listUnnamedImages(label, signal)) {
        if (isBuilding()) return // the next time
        await remove(Id, () => docker.removeUnnamedImage(Id, signal))
      }
    }
  }

  for (const { RepoTags } of images)
    for (const tag of RepoTags) if (!used.images.has(tag)) await remove(tag, () => docker.removeImage(tag, signal))
  await removeUnnamed()
  for (const { Id, Name } of networks)
    if (!used.networks.has(Name)) await remove(Name, () => docker.removeNetwork(Id, signal))
  if (removed.length > 0) log.info('cleared away what nobody uses', { removed })
  return removed
}
