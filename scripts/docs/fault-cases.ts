import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { table } from './tables.ts'

/** A case of the fault catalogue and a test that proves what is said of it. */
export interface FaultCase {
  /** One letter for the family, two digits. */
  readonly id: string
  readonly statement: string
  readonly file: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = ['api', 'backend', 'cli', 'dtma', 'e2e', 'web']
/** The first argument of a test, in any of the three quotes, also after the rows of a `test.each`. */
const TITLE = /(?:test|it|\]|\w\))\)?\(\s*(['"`])((?:[A-Z]\d\d[ :])+.*?)(?<!\\)\1,/gs

/** Where a row of a `test.each` comes in. */
const BLANK = /%[sio]|\$[a-z]\w*/g
const MOST_ROWS = 8

/** The cases that titles of tests begin with, `C05 D14: …`, in this text. */
export function casesIn(text: string, file: string): FaultCase[] {
  return [...text.matchAll(TITLE)].flatMap((found) => {
    const [, ids = '', statement = ''] = /^((?:[A-Z]\d\d:? )+)(.*)$/s.exec(found[2] ?? '') ?? []
    const said = filled(statement.replace(/: %s$/, ''), rowsBefore(text, found.index)).replaceAll("\\'", "'")
    return (ids.match(/[A-Z]\d\d/g) ?? []).map((id) => ({ id, statement: said, file }))
  })
}

/** What the rows of the `test.each` begin with that a title at this place belongs to, as the formatter lays them out; none when those are no words. */
function rowsBefore(text: string, at: number): string[] {
  const [begun, indent = ''] = [...text.slice(0, at).matchAll(/^( *)(?:test|it)\.each(?:<.*>)?\(/gm)].at(-1) ?? []
  if (begun === undefined) return []
  const list = text.slice(text.lastIndexOf(begun, at), at)
  if (/\n *(?:test|it)\(/.test(list) || list.includes('=> {\n')) return []
  const rows = list.matchAll(new RegExp(`^${indent}  \\[?'((?:[^'\\\\]|\\\\.)+)'`, 'gm'))
  return [...new Set([...rows].map(([, words]) => words!))]
}

/** A statement with the words of its rows in it, or with dots where those are not told. */
function filled(statement: string, rows: readonly string[]): string {
  const told = rows.length > 0 && rows.length <= MOST_ROWS ? rows.join(' / ') : '…'
  let first = true
  return statement.replaceAll(BLANK, () => {
    const words = first ? told : '…'
    first = false
    return words
  })
}

export function faultCases(): FaultCase[] {
  const files = PACKAGES.flatMap((name) =>
    readdirSync(`${ROOT}${name}`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
      .map((path) => `${name}/${path}`),
  )
  return files
    .sort()
    .flatMap((file) => casesIn(readFileSync(ROOT + file, 'utf8'), file))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

export const FAMILIES: readonly (readonly [string, string])[] = [
  ['P', 'Provisioning and money'],
  ['E', 'Enrolment and identity'],
  ['L', 'Liveness'],
  ['C', 'Commands and reconciliation'],
  ['D', 'Docker and the machine'],
  ['N', 'Network'],
  ['R', 'Control plane'],
  ['S', 'Isolation of tools'],
  ['T', 'Accounts, API and page'],
  ['M', 'MCP gateway'],
  ['K', 'Secrets and records'],
  ['U', 'Supply and upgrade'],
]

/** One table for each family that has cases. */
export function faultTables(cases: readonly FaultCase[]): string {
  const tables = FAMILIES.map(([letter, title]) => {
    const rows = cases.filter(({ id }) => id.startsWith(letter))
    const cells = rows.map(({ id, statement, file }) => [id, statement, suiteOf(file), `\`${file}\``])
    return rows.length === 0 ? undefined : `## ${title}\n\n${table(['Case', 'What holds', 'Run by', 'Test'], cells)}`
  })
  return tables.filter((text) => text !== undefined).join('\n\n')
}

function suiteOf(file: string): string {
  if (file.endsWith('.docker.test.ts')) return 'test:docker'
  if (file.endsWith('.faults.test.ts')) return 'test:faults'
  return file.startsWith('e2e/') ? 'test:e2e' : 'test:unit'
}
