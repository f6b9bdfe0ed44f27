import type { addCatalogTool, ImageArchive, Input } from '@agentopia/api'

export type Kind = 'npm' | 'pypi' | 'oci' | 'archive'
type Body = Input<typeof addCatalogTool>['body']

/** A secret that the tool takes of each agent, as somebody describes it. */
export interface DraftSecret {
  /** Of the row on the screen. */
  readonly row: number
  readonly name: string
  readonly label: string
  readonly delivery: 'env' | 'file'
  /** Variable, or name of a file below {@link SECRETS_FOLDER}. */
  readonly place: string
  readonly required: boolean
}

/** In the memory of the container, readable by the tool alone. */
export const SECRETS_FOLDER = '/tmp/secrets/'

/** What a person has typed. */
export interface Draft {
  readonly kind: Kind
  /** Name of a package, reference of an image, or digest of an archive. */
  readonly source: string
  readonly version: string
  readonly id: string
  readonly title: string
  readonly summary: string
  readonly args: string
  /** Port of a server that speaks HTTP, with its path if that is another than /mcp; empty: it speaks on standard input and output. */
  readonly http: string
  /** `none`, `any`, or hosts, with or without a port, separated by commas or spaces. */
  readonly egress: string
  readonly state: string
  readonly profile: 'strict' | 'bigmem' | 'browser' | 'exec-tmp'
  readonly secrets: readonly DraftSecret[]
}

export const EMPTY_DRAFT: Draft = {
  kind: 'npm',
  source: '',
  version: '',
  id: '',
  title: '',
  summary: '',
  args: '',
  http: '',
  egress: 'none',
  state: '',
  profile: 'strict',
  secrets: [],
}

/** What a profile brings with it: there is no reason to ask for one and leave its room unused. */
const ROOM = {
  bigmem: { memoryMib: 2_048 },
  browser: { memoryMib: 1_024, cpus: 2, pids: 256 },
} as const

export function toolOf(draft: Draft, archives: readonly ImageArchive[]): Body {
  const { id, title, summary, args, http, state, profile, secrets } = draft
  return {
    id,
    title: title.trim() || id,
    summary: summary.trim(),
    secrets: secrets.map(secretOf),
    spec: {
      package: packageOf(draft, archives),
      transport: http.trim() === '' ? { type: 'stdio' } : httpOf(http.trim()),
      args: args.split(/\s+/).filter(Boolean),
      egress: egressOf(draft.egress),
      ...(state.trim() === '' ? {} : { state: { path: state.trim() } }),
      ...(profile === 'strict' ? {} : { profiles: [profile] }),
      ...(profile === 'bigmem' || profile === 'browser' ? { resources: ROOM[profile] } : {}),
    },
  }
}

const secretOf = ({ name, label, delivery, place, required }: DraftSecret) => ({
  key: name.trim(),
  title: label.trim() || name.trim(),
  required,
  target: delivery === 'env' ? { env: place.trim() } : { file: SECRETS_FOLDER + place.trim() },
})

/** `3001` or `3001/sse`. What is neither is refused by the control plane. */
function httpOf(text: string): Body['spec']['transport'] {
  const [, port = '', path] = /^(\d+)(\/.*)?$/.exec(text) ?? []
  return { type: 'http', port: Number(port), ...(path === undefined ? {} : { path }) }
}

function packageOf({ kind, source, version }: Draft, archives: readonly ImageArchive[]): Body['spec']['package'] {
  const name = source.trim()
  if (kind === 'npm' || kind === 'pypi') return { type: kind, name, version: version.trim() }
  if (kind === 'oci') return { type: 'oci', image: name }
  const image = archives.find(({ digest }) => digest === source)?.image ?? 'archive:latest'
  return { type: 'oci', image, archive: source }
}

function egressOf(text: string): NonNullable<Body['spec']['egress']> {
  const words = text.split(/[\s,]+/).filter(Boolean)
  if (words.length === 0 || text.trim() === 'none') return 'none'
  if (text.trim() === 'any') return 'any'
  return words.map((word) => {
    const [host = '', port] = word.split(':')
    return { host, ...(port === undefined ? {} : { port: Number(port) }) }
  })
}

/** A name for it, until somebody types another: the last part of the source. */
export const idFrom = (source: string): string =>
  (source.split('/').at(-1) ?? '')
    .replace(/[:@].*$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63)
