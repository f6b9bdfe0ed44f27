import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError } from '../engine/engine-error.ts'
import { loadArchive } from '../engine/load-archive.ts'
import { asLoaded, InvalidArchive } from './image-archive.ts'
import type { ImageSources } from './image-sources.ts'
import type { Progress } from './pull-progress.ts'
import { ToolFailure, toolFailureOf } from './tool-failure.ts'

export interface LoadDeps {
  readonly docker: Pick<DockerApi, 'loadImage'>
  readonly sources: Pick<ImageSources, 'archive'>
}

/** The one name under which the image of an archive is on this machine, whatever it was called before. */
export const loadedReferenceOf = (archive: string): string => `agentopia-archive:${archive.slice('sha256:'.length)}`

/**
 * Has Docker load the image of an archive that the control plane holds.
 * @returns {@link loadedReferenceOf}
 * @throws {ToolFailure}
 */
export async function loadToolImage(
  { docker, sources }: LoadDeps,
  archive: string,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<string> {
  const reference = loadedReferenceOf(archive)
  const { body, bytes } = await sources.archive(archive, signal)
  const tar = asLoaded(body, { digest: archive, reference, onBytes: percentOf(bytes, report) })
  let invalid: InvalidArchive | undefined
  tar.once('error', (error) => {
    if (error instanceof InvalidArchive) invalid = error
  })
  try {
    await loadArchive(docker, tar, signal)
    return reference
  } catch (error) {
    if (signal.aborted) throw error
    if (invalid) throw new ToolFailure('image_invalid', invalid.message, { cause: invalid, lasting: true })
    throw loadFailureOf(error)
  } finally {
    body.destroy()
  }
}

function loadFailureOf(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error
  if (error.fault === 'disk-full')
    return new ToolFailure('disk_full', 'The disk is full: the image of the archive does not fit', { cause: error })
  if (error.fault !== 'invalid') return toolFailureOf(error)
  return new ToolFailure('image_invalid', error.message, { cause: error, lasting: true })
}

/** Tells each percent once. */
function percentOf(total: number | undefined, report: (progress: Progress) => void): (bytes: number) => void {
  const step = 'Loading the image'
  report({ step })
  let told = -1
  return (bytes) => {
    if (total === undefined || total === 0) return
    const percent = Math.min(100, Math.floor((bytes / total) * 100))
    if (percent === told) return
    told = percent
    report({ step, percent })
  }
}
