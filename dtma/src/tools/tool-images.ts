import { stripVTControlCharacters } from 'node:util'
import type { ToolSpec } from '../contract/tool.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ImageDetails, ProgressLine } from '../engine/docker.types.ts'
import { EngineError, faultOfMessage } from '../engine/engine-error.ts'
import { buildFailureOf, buildStepOf, contextOf, type NpmPackage, npmRecipe } from './npm-image.ts'
import { createPullProgress, type Progress } from './pull-progress.ts'
import { createSharedWork } from './shared-work.ts'
import { ToolFailure, toolFailureOf } from './tool-failure.ts'
import { LABEL } from './tool-labels.ts'

interface ToolImage {
  /** Tag of a built image, or repository and digest of a pulled one. */
  readonly reference: string
  /** Absent: it must be built or pulled first. */
  readonly details: ImageDetails | undefined
}

/** The images that tools run from. @throws {ToolFailure | EngineError} From every method. */
export interface ToolImages {
  find(spec: ToolSpec, signal: AbortSignal): Promise<ToolImage>
  /** Builds or pulls it; concurrent requests for one image share the work. @returns Its reference. */
  make(spec: ToolSpec, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<string>
  /** Leaves an image alone that a container still uses. */
  remove(reference: string, signal: AbortSignal): Promise<void>
}

export interface ToolImagesDeps {
  readonly docker: DockerApi
  /** Id of the image with Node and npm that npm packages are built on. */
  readonly runnerBase: (signal: AbortSignal) => Promise<string>
  /** Put as a label on built images. */
  readonly owner: string
}

const BUILDS_AT_ONCE = 2
const PULLS_AT_ONCE = 3
const OUTPUT_TAIL_CHARS = 8_000
const WAITING: Progress = { step: 'Waiting for other images' }

export function createToolImages({ docker, runnerBase, owner }: ToolImagesDeps): ToolImages {
  const builds = createSharedWork<Progress, void>(BUILDS_AT_ONCE, WAITING)
  const pulls = createSharedWork<Progress, void>(PULLS_AT_ONCE, WAITING)

  async function build(pkg: NpmPackage, base: string, report: (progress: Progress) => void, signal: AbortSignal) {
    const recipe = npmRecipe(pkg, base)
    const labels = { [LABEL.owner]: owner }
    let tail = ''
    for await (const line of docker.buildImage(recipe.tag, contextOf(recipe), labels, signal)) {
      const text = stripVTControlCharacters(line.stream ?? '')
      const step = buildStepOf(text)
      if (step) report(step)
      tail = (tail + text).slice(-OUTPUT_TAIL_CHARS)
      if (line.error !== undefined) throw buildFailureOf(`${tail}\n${line.error}`.trim(), pkg)
    }
  }

  async function pull(image: string, report: (progress: Progress) => void, signal: AbortSignal) {
    const progress = createPullProgress()
    let last = ''
    try {
      for await (const line of docker.pullImage(image, signal)) {
        if (line.error !== undefined) throw pullFailureOf(line, image)
        const now = progress(line)
        // Docker reports each layer ten times a second: pass on what a person would notice.
        if (JSON.stringify(now) !== last) report(now)
        last = JSON.stringify(now)
      }
    } catch (error) {
      throw error instanceof EngineError ? pullFailureOf({ error: error.message }, image, error) : error
    }
  }

  return {
    async find({ package: pkg }, signal) {
      const reference = pkg.type === 'oci' ? pkg.image : npmRecipe(pkg, await runnerBase(signal)).tag
      return { reference, details: await docker.inspectImage(reference, signal) }
    },
    async make({ package: pkg }, onProgress, signal) {
      if (pkg.type === 'oci') {
        await pulls.run(pkg.image, (report, stop) => pull(pkg.image, report, stop), onProgress, signal)
        return pkg.image
      }
      const base = await runnerBase(signal)
      const { tag } = npmRecipe(pkg, base)
      await builds.run(tag, (report, stop) => build(pkg, base, report, stop), onProgress, signal)
      return tag
    },
    async remove(reference, signal) {
      try {
        await docker.removeImage(reference, signal)
      } catch (error) {
        if (!(error instanceof EngineError && error.fault === 'conflict')) throw error
      }
    },
  }
}

function pullFailureOf({ error = '' }: ProgressLine, image: string, cause?: EngineError): ToolFailure {
  const options = { cause }
  const fault = faultOfMessage(error) ?? cause?.fault
  const where = image.split('@', 1)[0]
  if (fault === 'not-found')
    return new ToolFailure('image_not_found', `No registry has ${where} of this digest`, { ...options, lasting: true })
  if (fault === 'auth')
    return new ToolFailure('image_auth', `The registry refuses to give out ${where}`, { ...options, lasting: true })
  if (fault === 'disk-full') return new ToolFailure('disk_full', `The disk is full: ${where} does not fit`, options)
  if (fault === 'unreachable' || fault === 'hung')
    return new ToolFailure('registry_unreachable', `The registry of ${where} does not answer`, options)
  return cause ? toolFailureOf(cause) : new ToolFailure('internal', `${where}: ${error.slice(0, 300)}`, options)
}
