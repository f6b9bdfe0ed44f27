import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError, faultOfMessage } from '../engine/engine-error.ts'
import { createPullProgress, type Progress } from './pull-progress.ts'
import { ToolFailure, toolFailureOf } from './tool-failure.ts'

/** The image with Python and pip: PyPI packages are built on it. It is here already, or is pulled when it is first needed. */
export interface PythonBase {
  readonly image: string
  /** @returns Its id; `undefined`: it is not here. */
  find(signal: AbortSignal): Promise<string | undefined>
  /** @throws {ToolFailure} */
  pull(report: (progress: Progress) => void, signal: AbortSignal): Promise<void>
}

/** As its publishers build it, and as `scripts/base-image/build-python.sh` does where nothing can be pulled. */
export const PYTHON_IMAGE = 'python:3-slim'

export function pythonBaseOf(docker: Pick<DockerApi, 'inspectImage' | 'pullImage'>, image = PYTHON_IMAGE): PythonBase {
  const failed = (error: string, cause?: EngineError) => {
    if (faultOfMessage(error) === 'disk-full')
      return new ToolFailure('disk_full', `The disk is full: ${image}`, { cause })
    if (cause?.fault === 'down') return toolFailureOf(cause)
    const message = `${image}, on which Python packages are built, is not on this toolbox and cannot be pulled`
    return new ToolFailure('registry_unreachable', `${message}: ${error.slice(0, 200)}`, { cause })
  }

  return {
    image,
    find: async (signal) => (await docker.inspectImage(image, signal))?.Id,
    async pull(report, signal) {
      const progress = createPullProgress()
      try {
        for await (const line of docker.pullImage(image, undefined, signal)) {
          if (line.error !== undefined) throw failed(line.error)
          report(progress(line))
        }
      } catch (error) {
        throw error instanceof EngineError ? failed(error.message, error) : error
      }
    },
  }
}
