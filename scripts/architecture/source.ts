/** One file of the repository, as the rules see it. */
export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
}

export interface Import {
  readonly specifier: string
  /** What stands between `import` and `from`; empty for `import()` and for imports of a whole file. */
  readonly clause: string
  readonly line: number
}

const STATEMENT = /^[ \t]*(?:import|export)\b(\s*|[^'"`;=()]*?\bfrom\s*)['"]([^'"\n]+)['"]/gm
const DYNAMIC = /\bimport\(()['"]([^'"\n]+)['"]\)/g

/** What a file imports: by `import`, `export … from` and `import()`. */
export const importsOf = ({ text }: Source): readonly Import[] =>
  [STATEMENT, DYNAMIC].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((found) => ({
      specifier: found[2]!,
      clause: found[1]!.trim(),
      line: text.slice(0, found.index + found[0].length).split('\n').length,
    })),
  )

/** Every line, from 1, that a pattern is found in. */
export const linesWith = (text: string, pattern: RegExp): readonly number[] =>
  text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []))

const CODE = /\.(?:ts|tsx|mts|mjs|js|cjs)$/
const PACKAGES: readonly string[] = ['dtma', 'api', 'backend', 'web', 'cli']

/** Folder of the root that a path lies in; empty for the root itself. */
export const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')

export const isCode = (path: string): boolean => CODE.test(path)

/** Helps tests and is no part of what runs at a user's. */
export const isTestCode = (path: string): boolean =>
  /(?:^|\/)fixtures\//.test(path) || /(?:^|[/.])(?:test|testing)\.(?:[a-z]+\.)*[a-z]+$/.test(path)

/** Runs at a user's: the code of the five packages without their tests. */
export const isShipped = (path: string): boolean =>
  isCode(path) && PACKAGES.includes(folderOf(path)) && path.includes('/src/') && !isTestCode(path)

/** Path that a relative import of a file leads to. */
export function targetOf(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/'))
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  return parts.join('/')
}
