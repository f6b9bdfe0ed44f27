import { folderOf, importsOf, isCode, isShipped, isTestCode, linesWith, type Source, targetOf } from './source.ts'

export interface Violation {
  readonly path: string
  readonly line: number
  readonly rule: string
  /** What to do instead. */
  readonly fix: string
}

type Finding = Omit<Violation, 'path' | 'rule'>

/** What there is besides the file that is looked at. */
interface Repository {
  /** Of files and folders. */
  readonly paths: ReadonlySet<string>
  /** What is left of the paths of files when leading folders are dropped. */
  readonly ends: ReadonlySet<string>
}

interface Rule {
  readonly name: string
  readonly appliesTo: (path: string) => boolean
  readonly check: (source: Source, repository: Repository) => readonly Finding[]
}

const CONTRACT = '@agentopia/dtma/contract'
const TESTBED = [
  'cloud',
  'description',
  'emulator',
  'faults',
  'git-server',
  'machines',
  'openid-provider',
  'registry',
].map((name) => `@agentopia/testbed/${name}`)

/** What tests may take besides. */
const FOR_TESTS = ['@agentopia/backend/testing', '@agentopia/dtma/testing', ...TESTBED]

/** What each folder may take from the others. Dependencies point one way; whatever is not here is nobody's business. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  dtma: [],
  api: [CONTRACT],
  backend: ['@agentopia/api', '@agentopia/api/json-schema', CONTRACT, '@agentopia/dtma/tunnel'],
  web: ['@agentopia/api'],
  cli: ['@agentopia/api'],
  e2e: ['@agentopia/api', CONTRACT, ...FOR_TESTS],
  bench: ['@agentopia/api', CONTRACT, ...FOR_TESTS, '@agentopia/e2e/product'],
  testbed: [CONTRACT],
  scripts: ['@agentopia/api', '@agentopia/api/json-schema', CONTRACT],
}

/** The tables of settings and the versions, which the documentation is printed from. */
const PRINTED = /^(?:backend|dtma)\/(?:src\/config\.ts|package\.json)$/

const packageBoundary: Rule = {
  name: 'package-boundary',
  appliesTo: (path) => isCode(path) && folderOf(path) in MAY_IMPORT,
  check: (source) => {
    const own = folderOf(source.path)
    return importsOf(source).flatMap(({ specifier, line }) => {
      if (specifier.startsWith('@agentopia/')) {
        const allowed = [...MAY_IMPORT[own]!, ...(isTestCode(source.path) ? FOR_TESTS : [])]
        if (allowed.includes(specifier)) return []
        return [{ line, fix: `${own}/ may import ${allowed.join(', ') || 'no other package'}, not ${specifier}` }]
      }
      if (!specifier.startsWith('.')) return []
      const target = targetOf(source.path, specifier)
      if (folderOf(target) === own || (own === 'scripts' && PRINTED.test(target))) return []
      return [{ line, fix: `import what ${folderOf(target) || 'the root'} exports by its package name, not its files` }]
    })
  },
}

const testCode: Rule = {
  name: 'test-code',
  appliesTo: isShipped,
  check: (source) =>
    importsOf(source)
      .filter(({ specifier }) => specifier.startsWith('.') && isTestCode(targetOf(source.path, specifier)))
      .map(({ line }) => ({ line, fix: 'what is shipped imports no tests, helpers of tests or fixtures' })),
}

const CHILD_PROCESS = /^(?:node:)?child_process$/
const NAMES_NO_SHELL = /^(?:type )?\{(?![^}]*\bexec(?:Sync)?\b)[^}]*\}/

const noShell: Rule = {
  name: 'no-shell',
  appliesTo: (path) => isShipped(path) || (isCode(path) && folderOf(path) === 'scripts' && !isTestCode(path)),
  check: (source) => [
    ...linesWith(source.text, /\bshell: *(?!false\b)[\w'"`]/).map((line) => ({
      line,
      fix: 'leave `shell` out: a program gets its arguments as they are',
    })),
    ...importsOf(source)
      .filter(({ specifier, clause }) => CHILD_PROCESS.test(specifier) && !NAMES_NO_SHELL.test(clause))
      .map(({ line }) => ({ line, fix: 'import `spawn` or `execFile` by name: `exec` starts a shell' })),
  ],
}

/** A `.script.ts` holds the text of a program that runs in a container, whose environment is its own. */
const environment: Rule = {
  name: 'environment',
  appliesTo: (path) => isShipped(path) && !/(?:\/(?:main|config)\.tsx?|\.script\.ts)$/.test(path),
  check: ({ text }) =>
    linesWith(text, /\bprocess(?:\.env\b|\['env'\])|\benv\b.*\bfrom 'node:process'/).map((line) => ({
      line,
      fix: 'main.ts reads the environment and config.ts parses it; take what is needed from the configuration',
    })),
}

const PART = '[a-z0-9]+(?:-[a-z0-9]+)*'
const FILE_NAME = new RegExp(`^(?:${PART}/)*${PART}(?:\\.${PART})*\\.[a-z]+$`)

const fileName: Rule = {
  name: 'file-name',
  appliesTo: isCode,
  check: ({ path }) => (FILE_NAME.test(path) ? [] : [{ line: 1, fix: 'name it <noun>.<role>.ts, in kebab-case' }]),
}

const MOST_LINES = 400

const fileLength: Rule = {
  name: 'file-length',
  appliesTo: isCode,
  check: ({ text }) =>
    text.split('\n').length > MOST_LINES + 1
      ? [{ line: MOST_LINES + 1, fix: `split it: a file holds one idea, in at most ${MOST_LINES} lines` }]
      : [],
}

/** In pieces, so that this file is not what it looks for. */
const REGISTRIES = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['pypi', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['ghcr', 'io'],
  ['quay', 'io'],
  ['mcr', 'microsoft', 'com'],
  ['registry-1', 'docker', 'io'],
  ['index', 'docker', 'io'],
  ['deb', 'debian', 'org'],
].map((parts) => parts.join('\\.'))
const REGISTRY = new RegExp(`(?:^|[^\\w.-])(?:${REGISTRIES.join('|')})(?![\\w-])`, 'i')

const registryHost: Rule = {
  name: 'registry-host',
  appliesTo: () => true,
  check: ({ text }) =>
    linesWith(text, REGISTRY).map((line) => ({
      line,
      fix: 'name no registry: every machine has its own, and npm, Docker and apt know which',
    })),
}

const wholeTests: Rule = {
  name: 'whole-tests',
  appliesTo: (path) => isCode(path) && isTestCode(path),
  check: ({ text }) =>
    linesWith(
      text,
      /\b(?:describe|it|test|suite)(?:\.\w+)*\.(?:skip|only|todo|skipIf|runIf|fails)\b|\b(?:xit|xtest|xdescribe|fit|fdescribe)\(|\b(?:ctx|context)\.skip\(/,
    ).map((line) => ({ line, fix: 'every test runs and every test counts: make it pass, or remove it' })),
}

/** Screenshots are made from the running product, by a command of their own. */
const MADE_LATER = /^docs\/images\//

const trueDocuments: Rule = {
  name: 'true-documents',
  appliesTo: (path) => path.endsWith('.md'),
  check: ({ path, text }, { paths, ends }) =>
    text.split('\n').flatMap((words, index) => {
      const links = [...words.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((found) => targetOf(path, found[1]!))
      const named = [...words.matchAll(/`([\w./-]+\.(?:ts|tsx|mjs))`/g)].map((found) => found[1]!)
      const lost = [
        ...links.filter((link) => !paths.has(link) && !MADE_LATER.test(link)),
        ...named.filter((name) => !ends.has(name)),
      ]
      return lost.map((what) => ({ line: index + 1, fix: `there is no ${what}: name the file that it means now` }))
    }),
}

const DECISION = /^docs\/decisions\/\d{4}-.*\.md$/

const wholeMap: Rule = {
  name: 'whole-map',
  appliesTo: (path) => path === 'ARCHITECTURE.md',
  check: ({ text }, { paths }) =>
    [...paths]
      .filter((path) => DECISION.test(path) && !text.includes(`](${path})`))
      .map((path) => ({ line: 1, fix: `name ${path} among the decisions` })),
}

const RULES = [
  packageBoundary,
  testCode,
  noShell,
  environment,
  fileName,
  fileLength,
  registryHost,
  wholeTests,
  trueDocuments,
  wholeMap,
] as const satisfies readonly Rule[]

/** What in the repository is against the rules, in the order of the files. */
export function violationsIn(sources: readonly Source[]): readonly Violation[] {
  const cuts = sources.flatMap(({ path }) => path.split('/').map((_, at, parts) => ({ parts, at })))
  const repository: Repository = {
    paths: new Set(cuts.map(({ parts, at }) => parts.slice(0, at + 1).join('/'))),
    ends: new Set(cuts.map(({ parts, at }) => parts.slice(at).join('/'))),
  }
  return sources.flatMap((source) =>
    RULES.filter((rule) => rule.appliesTo(source.path)).flatMap((rule) =>
      rule.check(source, repository).map((finding) => ({ path: source.path, rule: rule.name, ...finding })),
    ),
  )
}
