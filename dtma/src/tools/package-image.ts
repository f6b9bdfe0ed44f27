import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { ToolReason } from '../contract/tool.ts'
import type { NpmPackage, PypiPackage } from '../contract/tool-package.ts'
import { ToolFailure } from './tool-failure.ts'
import { LABEL } from './tool-labels.ts'

/** A package that becomes an image on the toolbox. */
export type BuiltPackage = NpmPackage | PypiPackage

/** How to build the image of one package: a tag that names exactly this recipe, and the files of the build context. */
export interface PackageRecipe {
  readonly tag: string
  readonly files: Readonly<Record<string, string>>
}

/** Origin and path of a package index of one's own; absent: the public one. Holds no secret: it is written into the image. */
export type PackageIndex = string | undefined

export function recipeOf({ name, version }: BuiltPackage, files: PackageRecipe['files']): PackageRecipe {
  const digest = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 12)
  return { tag: `agentopia-tool/${repositoryOf(name)}:${version}-${digest}`, files }
}

/**
 * The build context as a tar archive; the same files make the same bytes, so that Docker's cache works.
 * @param owner Put as a label on every image that the build makes. Those of earlier stages, and of a build that fails, have no other sign.
 */
export function contextOf({ files }: PackageRecipe, owner: string): Readable {
  const tar = pack()
  for (const [name, text] of Object.entries(files))
    tar.entry({ name, mode: 0o644, mtime: new Date(0) }, name === 'Dockerfile' ? owned(text, owner) : text)
  tar.finalize()
  return Readable.from(tar)
}

const owned = (dockerfile: string, owner: string): string =>
  dockerfile.replaceAll(/^FROM .*$/gm, (from) => `${from}\nLABEL ${LABEL.owner}=${owner}`)

/** What an instruction of our Dockerfiles means to people. */
const STEP_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^RUN apt-get/, 'Installing what it needs of the system'],
  [/^RUN (?:npm|python3 -m pip)/, 'Installing the package'],
  [/^RUN (?:node|python3)/, 'Finding its command'],
  [/^(?:FROM|LABEL|USER 0|ENV|WORKDIR|COPY)/, 'Preparing the image'],
]

/** Reads `Step 6/11 : RUN npm install …` of a build's output. `undefined`: the line begins no step. */
export function buildStepOf(line: string): { readonly step: string; readonly percent: number } | undefined {
  const match = /^Step (\d+)\/(\d+) : (.*)/.exec(line)
  if (!match) return undefined
  const [, at, of, instruction] = match
  const step = STEP_NAMES.find(([pattern]) => pattern.test(instruction!))?.[1] ?? 'Finishing the image'
  return { step, percent: Math.round(((Number(at) - 1) / Number(of)) * 100) }
}

/** How the output of a package manager tells its failures. */
export interface BuildComplaints {
  readonly unreachable: RegExp
  readonly notFound: RegExp
}

const DISK_FULL = /ENOSPC|no space left/i

/** Names why a build failed, from the end of its output. */
export function buildFailureOf(
  output: string,
  { name, version }: BuiltPackage,
  complaints: BuildComplaints,
): ToolFailure {
  const what = `${name}@${version}`
  const failure = (reason: ToolReason, message: string, lasting = false) =>
    new ToolFailure(reason, `${what}: ${message}`, { lasting })
  const entry = /^entry: (.*)$/m.exec(output)?.[1]
  if (entry !== undefined) return failure('build_failed', entry, true)
  if (DISK_FULL.test(output)) return failure('disk_full', 'the disk is full')
  // First: who cannot reach the index finds no version either.
  const unreachable = complaints.unreachable.exec(output)
  if (unreachable) return failure('registry_unreachable', `the registry cannot be reached (${unreachable[0]})`)
  if (complaints.notFound.test(output))
    return failure('package_not_found', 'the registry has no such version, or not everything that it depends on', true)
  const lines = output.trim().split('\n')
  const last = lines.findLast((line) => line.trim() !== '') ?? 'no output'
  return failure('build_failed', last.slice(0, 300))
}

/** A repository name allows less than a package name does; the tag's digest keeps two of them apart. */
const repositoryOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
