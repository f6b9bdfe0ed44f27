import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { ToolSpec } from '../contract/tool.ts'
import { TOOL_USER } from './create-body.ts'
import { NPM_ENTRY_SCRIPT } from './npm-entry.script.ts'
import { NPM_SECRETS_SCRIPT } from './npm-secrets.script.ts'
import { ToolFailure } from './tool-failure.ts'

export type NpmPackage = Extract<ToolSpec['package'], { type: 'npm' }>

/** How to build the image of one npm package: a tag that names exactly this recipe, and the files of the build context. */
export interface NpmRecipe {
  readonly tag: string
  readonly files: Readonly<Record<string, string>>
}

/**
 * Nothing of the package's name or version is written into the Dockerfile: they travel as JSON files. Scripts of packages do
 * not run; the registry is needed here and never again.
 * @param base Id of the runner base image; it has Node and npm.
 */
export function npmRecipe({ name, version, bin }: NpmPackage, base: string): NpmRecipe {
  const files = {
    Dockerfile: dockerfileOf(base),
    'package.json': JSON.stringify({ private: true, dependencies: { [name]: version } }),
    'wanted.json': JSON.stringify({ name, bin }),
    'resolve-entry.mjs': NPM_ENTRY_SCRIPT,
    'with-secrets.mjs': NPM_SECRETS_SCRIPT,
  }
  const digest = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 12)
  return { tag: `agentopia-tool/${repositoryOf(name)}:${version}-${digest}`, files }
}

const dockerfileOf = (base: string): string => `FROM ${base}
USER 0:0
ENV NODE_ENV=production
WORKDIR /tool
COPY package.json wanted.json resolve-entry.mjs with-secrets.mjs ./
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier --cache=/tmp/npm && rm -rf /tmp/npm
RUN node resolve-entry.mjs
USER ${TOOL_USER}
HEALTHCHECK NONE
ENTRYPOINT ["node", "/tool/entry"]
CMD []
`

/** What an instruction of that Dockerfile means to people. */
const STEP_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^RUN npm/, 'Installing the package'],
  [/^RUN node/, 'Finding its command'],
  [/^(?:FROM|USER 0|ENV|WORKDIR|COPY)/, 'Preparing the image'],
]

/** Reads `Step 6/11 : RUN npm install …` of a build's output. `undefined`: the line begins no step. */
export function buildStepOf(line: string): { readonly step: string; readonly percent: number } | undefined {
  const match = /^Step (\d+)\/(\d+) : (.*)/.exec(line)
  if (!match) return undefined
  const [, at, of, instruction] = match
  const step = STEP_NAMES.find(([pattern]) => pattern.test(instruction!))?.[1] ?? 'Finishing the image'
  return { step, percent: Math.round(((Number(at) - 1) / Number(of)) * 100) }
}

/** Names why a build failed, from the end of its output. */
export function buildFailureOf(output: string, { name, version }: NpmPackage): ToolFailure {
  const what = `${name}@${version}`
  const entry = /^entry: (.*)$/m.exec(output)?.[1]
  if (entry !== undefined) return new ToolFailure('build_failed', `${what}: ${entry}`, { lasting: true })
  if (/\bE404\b|\bETARGET\b|No matching version/.test(output))
    return new ToolFailure('package_not_found', `The registry has no ${what}, or not everything that it depends on`, {
      lasting: true,
    })
  if (/ENOSPC|no space left/i.test(output)) return new ToolFailure('disk_full', `${what}: the disk is full`)
  const network =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|[A-Z_]*CERT[A-Z_]*)\b/.exec(
      output,
    )
  if (network) return new ToolFailure('registry_unreachable', `${what}: the registry cannot be reached (${network[1]})`)
  const last =
    output
      .trim()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .at(-1) ?? 'no output'
  return new ToolFailure('build_failed', `${what}: ${last.slice(0, 300)}`)
}

/** The build context as a tar archive; the same files make the same bytes, so that Docker's cache works. */
export function contextOf({ files }: NpmRecipe): Readable {
  const tar = pack()
  for (const [name, text] of Object.entries(files)) tar.entry({ name, mode: 0o644, mtime: new Date(0) }, text)
  tar.finalize()
  return Readable.from(tar)
}

/** A repository name allows less than a package name does; the tag's digest keeps two of them apart. */
const repositoryOf = (name: string): string => name.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')
