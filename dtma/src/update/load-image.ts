import { createReadStream } from 'node:fs'
import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError } from '../engine/engine-error.ts'
import { loadArchive } from '../engine/load-archive.ts'
import { reasonOf } from '../reason.ts'
import { UpdateFailure } from './download.ts'
import { VERSION_LABEL } from './own-container.ts'

const REPOSITORY = 'agentopia-dtma'
const OF_AN_UPDATE = /^agentopia-dtma:[0-9a-f]{12}$/

/**
 * Gives an archive whose digest was checked to Docker, and names its image, so that nobody sweeps it away.
 * @returns Id of the image as this engine has it: engines number differently, so it may be another than the release's.
 * @throws {UpdateFailure} `load_failed`, `disk_full`, `wrong_version`
 */
export async function loadRelease(
  docker: DockerApi,
  file: string,
  version: string,
  signal: AbortSignal,
): Promise<string> {
  const reference = await loadArchive(docker, createReadStream(file), signal).catch((error: unknown) => {
    if (signal.aborted) throw error
    const full = error instanceof EngineError && error.fault === 'disk-full'
    throw new UpdateFailure(full ? 'disk_full' : 'load_failed', `The image was not loaded: ${reasonOf(error)}`, {
      cause: error,
    })
  })
  if (reference === undefined) throw new UpdateFailure('load_failed', 'There was no image in the archive')
  const image = await docker.inspectImage(reference, signal)
  if (!image) throw new UpdateFailure('load_failed', 'Docker has lost the image that it took')
  const said = image.Config.Labels[VERSION_LABEL]
  if (said !== version)
    throw new UpdateFailure(
      'wrong_version',
      `The image says that it is ${said ?? 'no version'}, the release ${version}`,
    )
  await docker.tagImage(image.Id, REPOSITORY, image.Id.replace('sha256:', '').slice(0, 12), signal)
  return image.Id
}

/** Images of earlier updates, but for `keep`: the present version stays until the next one has come and gone. */
export async function clearEarlierImages(
  docker: Pick<DockerApi, 'listImages' | 'removeImage'>,
  keep: string,
  signal: AbortSignal,
): Promise<void> {
  for (const { Id, RepoTags } of await docker.listImages(VERSION_LABEL, signal)) {
    if (Id === keep) continue
    for (const tag of RepoTags.filter((one) => OF_AN_UPDATE.test(one)))
      await docker.removeImage(tag, signal).catch((error: unknown) => {
        if (!(error instanceof EngineError && error.fault === 'conflict')) throw error // somebody's container uses it
      })
  }
}
