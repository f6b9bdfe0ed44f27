import type { DockerApi } from '../engine/docker.api.ts'
import { NO_IMAGE_SOURCES } from './image-sources.ts'
import { pythonBaseOf } from './python-base.ts'
import { createToolImages, type ToolImages, type ToolImagesDeps } from './tool-images.ts'

/** Images as a DTMA makes them that reports to nobody and was configured with nothing. */
export const plainImages = (
  docker: DockerApi,
  given: Partial<ToolImagesDeps> & Pick<ToolImagesDeps, 'runnerBase'>,
): ToolImages =>
  createToolImages({
    docker,
    owner: 'nobody',
    pythonBase: pythonBaseOf(docker),
    sources: NO_IMAGE_SOURCES,
    indexes: { npm: undefined, pypi: undefined },
    ...given,
  })
