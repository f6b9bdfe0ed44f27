/** What npm writes into a `package-lock.json`, as far as it says where things come from. */
export interface LockFile {
  readonly lockfileVersion?: number
  /** By path; `''` is the project itself, and what is not below a `node_modules` is a workspace of it. */
  readonly packages?: Readonly<Record<string, LockEntry>>
}

interface LockEntry {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  /** It is a workspace. */
  readonly link?: boolean
  /** It comes inside the archive of the package that it is in. */
  readonly inBundle?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Finding {
  /** Path of the package in the lock file. */
  readonly path: string
  readonly rule: 'version' | 'source' | 'host' | 'integrity' | 'declared'
  readonly message: string
}

/**
 * The host that most of the packages come from; whichever that is, all must.
 * @returns `undefined`: most name none, which is the registry that npm is configured with.
 */
export function hostOf({ packages = {} }: LockFile): string | undefined {
  const counts = new Map<string | undefined, number>()
  for (const [path, { resolved, link, inBundle }] of Object.entries(packages)) {
    if (!isInstalled(path) || link || inBundle) continue
    const host = urlOf(resolved)?.host
    counts.set(host, (counts.get(host) ?? 0) + 1)
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0]
}

/**
 * What in a lock file would bring in something else than a published package whose content is fixed: another host, plain
 * http, a git repository, a folder outside the workspaces, an archive without a SHA-512.
 * @param host That all must come from.
 */
export function findingsIn(lock: LockFile, host: string | undefined = hostOf(lock)): readonly Finding[] {
  if (lock.lockfileVersion !== 3 || !lock.packages)
    return [{ path: '', rule: 'version', message: 'Only version 3 of lock files can be checked' }]
  const workspaces = new Set(Object.keys(lock.packages).filter((path) => !isInstalled(path)))
  return Object.entries(lock.packages).flatMap(([path, entry]) => [
    ...declaredIn(path, entry),
    ...(isInstalled(path) ? sourceOf(path, entry, host, workspaces) : []),
  ])
}

const isInstalled = (path: string): boolean => `/${path}`.includes('/node_modules/')

function sourceOf(
  path: string,
  { version, resolved, integrity, link, inBundle }: LockEntry,
  host: string | undefined,
  workspaces: ReadonlySet<string>,
): readonly Finding[] {
  if (link)
    return workspaces.has(resolved ?? '') ? [] : [{ path, rule: 'source', message: `${resolved} is no workspace` }]
  if (inBundle && resolved === undefined) return []
  const url = urlOf(resolved)
  if (resolved === undefined ? !EXACT.test(version ?? '') : url?.protocol !== 'https:')
    return [{ path, rule: 'source', message: `${resolved ?? version ?? 'nothing'} is no https address of an archive` }]
  const isOfHost = url?.host === host && !url?.username && !url?.password
  return [
    ...(isOfHost
      ? []
      : [
          { path, rule: 'host' as const, message: `It comes from ${url?.host ?? 'the registry'}, most from elsewhere` },
        ]),
    ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')
      ? []
      : [{ path, rule: 'integrity' as const, message: 'Its SHA-512 is not fixed' }]),
  ]
}

/** Of a package that is published: the registry has one archive for it. */
const EXACT = /^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/

/** A wish that is no range of versions: a repository, an address or a folder. */
const ELSEWHERE = /^(?:[a-z+]+:|\.{0,2}\/|~\/|[\w.-]+\/[\w.-]+(?:#|$)|[\w.-]+@[\w.-]+:)/i
/** A published package under another name. */
const ALIAS = /^npm:/

function declaredIn(path: string, entry: LockEntry): readonly Finding[] {
  const { dependencies, devDependencies, optionalDependencies } = entry
  return [dependencies, devDependencies, optionalDependencies]
    .flatMap((wishes) => Object.entries(wishes ?? {}))
    .filter(([, wish]) => ELSEWHERE.test(wish) && !ALIAS.test(wish))
    .map(([name, wish]) => ({ path, rule: 'declared', message: `${name} is wanted from ${wish}` }))
}

function urlOf(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined
}
