import type { DockerApi } from '../engine/docker.api.ts'
import { ToolFailure } from './tool-failure.ts'

/** Finds the image with Node and npm: npm packages are built on it, and DTMA's own containers run from it. */
export const runnerBaseOf =
  (
    docker: Pick<DockerApi, 'inspectImage'>,
    /** References to try in turn. */
    references: (signal: AbortSignal) => Promise<readonly string[]>,
  ) =>
  /** @returns Its id. @throws {ToolFailure} `build_failed` */
  async (signal: AbortSignal): Promise<string> => {
    const tried = await references(signal)
    for (const reference of tried) {
      const image = await docker.inspectImage(reference, signal)
      if (image) return image.Id
    }
    throw new ToolFailure('build_failed', `The runner image is not on this toolbox (${tried.join(', ')})`)
  }
