import { type addCatalogTool, type ImageArchive, type Input, problem } from '@agentopia/api'

export type NewTool = Input<typeof addCatalogTool>['body']
type Spec = NewTool['spec']

/** The flags of `catalog add`, as they were given. */
export interface Flags {
  readonly id: string
  readonly npm?: string | undefined
  readonly pypi?: string | undefined
  readonly oci?: string | undefined
  readonly archive?: string | undefined
  readonly bin?: string | undefined
  readonly title?: string | undefined
  readonly summary?: string | undefined
  readonly args?: string | undefined
  readonly env?: string | undefined
  readonly http?: string | undefined
  readonly egress?: string | undefined
  readonly state?: string | undefined
  readonly profile?: string | undefined
  readonly memory?: string | undefined
  readonly pids?: string | undefined
}

/** The tool that the flags describe. What is wrong in it is told by the control plane. @throws {ProblemError} `invalid-tool` */
export function toolFrom(flags: Flags, archives: readonly ImageArchive[]): NewTool {
  const { id, title = id, summary, args, env, http, egress, state, profile } = flags
  const resources = {
    ...(flags.memory === undefined ? {} : { memoryMib: Number(flags.memory) }),
    ...(flags.pids === undefined ? {} : { pids: Number(flags.pids) }),
  }
  const spec: Spec = {
    package: packageOf(flags, archives),
    transport: http === undefined ? { type: 'stdio' } : httpOf(http),
    ...(args === undefined ? {} : { args: args.split(' ').filter(Boolean) }),
    ...(env === undefined ? {} : { env: envOf(env) }),
    ...(egress === undefined ? {} : { egress: egressOf(egress) }),
    ...(state === undefined ? {} : { state: { path: state } }),
    ...(profile === undefined ? {} : { profiles: profile.split(',') as NonNullable<Spec['profiles']> }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
  }
  return { id, title, ...(summary === undefined ? {} : { summary }), spec }
}

function packageOf({ npm, pypi, oci, archive, bin }: Flags, archives: readonly ImageArchive[]): Spec['package'] {
  const chosen = [npm, pypi, oci ?? archive].filter((one) => one !== undefined)
  if (chosen.length !== 1) throw problem('invalid-tool', 'Say what it is made of: --npm, --pypi, --oci or --archive')
  const command = bin === undefined ? {} : { bin }
  if (npm !== undefined)
    return { type: 'npm', ...splitAt(npm, npm.lastIndexOf('@'), 1, '--npm name@1.2.3'), ...command }
  if (pypi !== undefined)
    return { type: 'pypi', ...splitAt(pypi, pypi.indexOf('=='), 2, '--pypi name==1.2.3'), ...command }
  if (archive === undefined) return { type: 'oci', image: oci! }
  const found = archives.filter(({ image, digest }) => digest === archive || image === archive)
  if (found.length !== 1)
    throw problem('image-not-found', `${found.length} archives are called ${archive}; see \`agentopia image list\``)
  const [{ digest, image }] = found as [ImageArchive]
  return { type: 'oci', image: oci ?? image ?? 'archive:latest', archive: digest }
}

function splitAt(text: string, at: number, width: number, example: string): { name: string; version: string } {
  if (at <= 0) throw problem('invalid-tool', `Name an exact version: ${example}`)
  return { name: text.slice(0, at), version: text.slice(at + width) }
}

/** `3001`, `3001/mcp` or `3001/sse`. */
function httpOf(text: string): Spec['transport'] {
  const [, port = '', path] = /^(\d+)(\/.*)?$/.exec(text) ?? []
  return { type: 'http', port: Number(port), ...(path === undefined ? {} : { path }) }
}

/** `none`, `any`, or `host,host:port`. */
const egressOf = (text: string): NonNullable<Spec['egress']> =>
  text === 'none' || text === 'any'
    ? text
    : text.split(',').map((one) => {
        const [host = '', port] = one.split(':')
        return { host, ...(port === undefined ? {} : { port: Number(port) }) }
      })

const envOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
