import type { Readable } from 'node:stream'
import type { DockerApi } from './docker.api.ts'
import { EngineError, faultOfMessage } from './engine-error.ts'

/**
 * Gives Docker what `docker save` wrote.
 * @returns What Docker calls the image; `undefined`: there was none in it.
 * @throws {EngineError} `disk-full`; `invalid` when Docker does not take it.
 */
export async function loadArchive(
  docker: Pick<DockerApi, 'loadImage'>,
  tar: Readable,
  signal: AbortSignal,
): Promise<string | undefined> {
  let reference: string | undefined
  for await (const { stream, error } of docker.loadImage(tar, signal)) {
    if (error !== undefined) throw refusalOf(error)
    reference = /^Loaded image(?: ID)?: (\S+)/m.exec(stream ?? '')?.[1] ?? reference
  }
  return reference
}

/** Of what a sentence about an archive may say, only a full disk is not the archive's own fault. */
const refusalOf = (error: string): EngineError =>
  new EngineError(
    faultOfMessage(error) === 'disk-full' ? 'disk-full' : 'invalid',
    `Docker does not take the archive: ${error.slice(0, 300)}`,
  )
