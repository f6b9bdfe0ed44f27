import { stripVTControlCharacters } from 'node:util'
import type { OciPackage } from '../contract/tool-package.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ImageDetails } from '../engine/docker.types.ts'
import { EngineError } from '../engine/engine-error.ts'
import { loadedReferenceOf, loadToolImage } from './image-load.ts'
import { pullImage } from './image-pull.ts'
import type { ImageSources } from './image-sources.ts'
import { NPM_COMPLAINTS, npmRecipe } from './npm-image.ts'
import { ociFailureOf, ociRecipe } from './oci-secrets-image.ts'
import {
  type BuiltPackage,
  buildFailureOf,
  buildStepOf,
  contextOf,
  type PackageIndex,
  type PackageRecipe,
} from './package-image.ts'
import type { Progress } from './pull-progress.ts'
import { PYPI_COMPLAINTS, pypiRecipe } from './pypi-image.ts'
import type { PythonBase } from './python-base.ts'
import { createSharedWork } from './shared-work.ts'
import type { AcceptedTool } from './spec-file.ts'
import type { ToolFailure } from './tool-failure.ts'

interface ToolImage {
  /** Tag of a built or loaded image, or repository and digest of a pulled one. */
  readonly reference: string
  readonly details: ImageDetails
  /** Of a package: the name to pin the reference by. What carries this name next time is found by it, whatever it would be built on then. */
  readonly pin?: string
}

/** What of a tool decides about its image. */
type Imaged = Pick<AcceptedTool, 'spec' | 'pins'>

/** The images that tools run from. @throws {ToolFailure | EngineError} From every method. */
export interface ToolImages {
  /** Whether a build is under way: it may use any image that an earlier one has left. */
  readonly isBuilding: boolean
  /** `undefined`: it must be built, loaded or pulled first. */
  find(tool: Imaged, signal: AbortSignal): Promise<ToolImage | undefined>
  /**
   * Builds, loads or pulls what is missing first; concurrent requests for one image share the work. An image whose tool takes
   * secrets is made of two: look again with {@link find}.
   * @returns The reference of what was made.
   */
  make(tool: Imaged, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<string>
  /** Leaves an image alone that a container still uses. */
  remove(reference: string, signal: AbortSignal): Promise<void>
}

export interface ToolImagesDeps {
  readonly docker: DockerApi
  /** Id of the image with Node and npm that npm packages are built on. */
  readonly runnerBase: (signal: AbortSignal) => Promise<string>
  /** The image with Python and pip that PyPI packages are built on. */
  readonly pythonBase: PythonBase
  readonly sources: ImageSources
  readonly indexes: { readonly npm: PackageIndex; readonly pypi: PackageIndex }
  /** Put as a label on every image that is built. */
  readonly owner: string
}

const BUILDS_AT_ONCE = 2
const PULLS_AT_ONCE = 3
const OUTPUT_TAIL_CHARS = 8_000
const ANY_BASE = 'scratch'
const WAITING: Progress = { step: 'Waiting for other images' }

export function createToolImages(deps: ToolImagesDeps): ToolImages {
  const { docker, runnerBase, pythonBase, indexes, owner } = deps
  const builds = createSharedWork<Progress, void>(BUILDS_AT_ONCE, WAITING)
  const pulls = createSharedWork<Progress, string>(PULLS_AT_ONCE, WAITING)
  let building = 0

  /** `undefined`: not before the image that it is built on is here. */
  async function recipeOf(pkg: BuiltPackage, signal: AbortSignal): Promise<PackageRecipe | undefined> {
    if (pkg.type === 'npm') return npmRecipe(pkg, await runnerBase(signal), indexes.npm)
    const base = await pythonBase.find(signal)
    return base === undefined ? undefined : pypiRecipe(pkg, base, indexes.pypi)
  }

  /** Everything that makes the image of a package but what it is built on, which other versions of DTMA bring along. */
  function pinOf(pkg: BuiltPackage): string {
    return (pkg.type === 'npm' ? npmRecipe(pkg, ANY_BASE, indexes.npm) : pypiRecipe(pkg, ANY_BASE, indexes.pypi)).tag
  }

  async function build(
    recipe: PackageRecipe,
    failureOf: (output: string) => ToolFailure,
    report: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let tail = ''
    building += 1
    try {
      for await (const line of docker.buildImage(recipe.tag, contextOf(recipe, owner), signal)) {
        const text = stripVTControlCharacters(line.stream ?? '')
        const step = buildStepOf(text)
        if (step) report(step)
        tail = (tail + text).slice(-OUTPUT_TAIL_CHARS)
        if (line.error === undefined) continue
        throw failureOf(`${tail}\n${line.error}`.trim())
      }
    } finally {
      building -= 1
    }
  }

  async function makeBuilt(
    pkg: BuiltPackage,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    let recipe = await recipeOf(pkg, signal)
    if (!recipe) {
      const { image } = pythonBase
      const pull = (report: (progress: Progress) => void, stop: AbortSignal) =>
        pythonBase.pull(report, stop).then(() => image)
      await pulls.run(image, pull, onProgress, signal)
      recipe = (await recipeOf(pkg, signal))!
    }
    const complaints = pkg.type === 'npm' ? NPM_COMPLAINTS : PYPI_COMPLAINTS
    return built(recipe, (output) => buildFailureOf(output, pkg, complaints), onProgress, signal)
  }

  async function built(
    recipe: PackageRecipe,
    failureOf: (output: string) => ToolFailure,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { tag } = recipe
    await builds.run(tag, (report, stop) => build(recipe, failureOf, report, stop), onProgress, signal)
    return tag
  }

  /** `undefined`: it has no name before it is made. */
  function ociReferenceOf(pkg: OciPackage, { pins }: Imaged): string | undefined {
    if (pkg.archive !== undefined) return loadedReferenceOf(pkg.archive)
    return pkg.image.includes('@') ? pkg.image : pins?.[pkg.image]
  }

  /** How the image becomes one that takes secrets. `undefined`: not before it is here. */
  async function takingSecrets(pkg: OciPackage, tool: Imaged, signal: AbortSignal): Promise<PackageRecipe | undefined> {
    const reference = ociReferenceOf(pkg, tool)
    const plain = reference === undefined ? undefined : await docker.inspectImage(reference, signal)
    return plain && ociRecipe(plain.Id, await runnerBase(signal))
  }

  async function referenceOf(tool: Imaged, signal: AbortSignal): Promise<string | undefined> {
    const { package: pkg, secrets } = tool.spec
    if (pkg.type !== 'oci') return (await recipeOf(pkg, signal))?.tag
    return secrets ? (await takingSecrets(pkg, tool, signal))?.tag : ociReferenceOf(pkg, tool)
  }

  async function inspected(reference: string | undefined, signal: AbortSignal): Promise<ToolImage | undefined> {
    const details = reference === undefined ? undefined : await docker.inspectImage(reference, signal)
    return reference === undefined || details === undefined ? undefined : { reference, details }
  }

  return {
    get isBuilding() {
      return building > 0
    },
    async find(tool, signal) {
      const { package: pkg } = tool.spec
      if (pkg.type === 'oci') return inspected(await referenceOf(tool, signal), signal)
      const pin = pinOf(pkg)
      const pinned = await inspected(tool.pins?.[pin], signal)
      const found = pinned ?? (await inspected(await referenceOf(tool, signal), signal))
      return found && { ...found, pin }
    },
    async make(tool, onProgress, signal) {
      const { package: pkg, secrets } = tool.spec
      if (pkg.type !== 'oci') return makeBuilt(pkg, onProgress, signal)
      const recipe = secrets && (await takingSecrets(pkg, tool, signal))
      if (recipe) return built(recipe, ociFailureOf, onProgress, signal)
      const { archive } = pkg
      if (archive !== undefined)
        return pulls.run(archive, (report, stop) => loadToolImage(deps, archive, report, stop), onProgress, signal)
      const image = ociReferenceOf(pkg, tool) ?? pkg.image
      return pulls.run(image, (report, stop) => pullImage(deps, image, report, stop), onProgress, signal)
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
