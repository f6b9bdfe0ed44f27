import type { Schema } from '@agentopia/api/json-schema'
import type { ProblemKind } from '@agentopia/dtma/contract'
import { type $ZodType, toJSONSchema } from 'zod/v4/core'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** A catalogue of problems, by status and code. */
export function problemTable(catalogue: Readonly<Record<string, ProblemKind>>): string {
  const kinds = Object.entries(catalogue).sort(([a, one], [b, other]) => one.status - other.status || (a < b ? -1 : 1))
  return table(
    ['Status', 'Code', 'Meaning', 'What to do', 'Worth a retry'],
    kinds.map(([code, { status, title, fix, retryable }]) => [
      String(status),
      `\`${code}\``,
      `${title}.`,
      fix,
      retryable ? 'yes' : 'no',
    ]),
  )
}

/**
 * The settings that an environment may hold, in the order of their table.
 * @param root Directory of the repository: defaults inside it are given from there.
 */
export function settingTable(environment: $ZodType, root: string): string {
  const { properties = {} } = toJSONSchema(environment, { io: 'input', unrepresentable: 'any' })
  return table(
    ['Variable', 'Meaning', 'Values', 'Default'],
    Object.entries(properties).map(([name, property]) => {
      const setting = property as Schema
      const { default: fallback, description = '' } = setting
      const shown = typeof fallback === 'string' && fallback.startsWith(root) ? fallback.slice(root.length) : fallback
      return [`\`${name}\``, description, valuesOf(setting), shown === undefined ? '' : `\`${shown}\``]
    }),
  )
}

function valuesOf({ enum: words, type, minimum, maximum, format }: Schema): string {
  if (words) return words.map((word) => `\`${word}\``).join(', ')
  if (type === 'integer') return `${minimum} to ${maximum}`
  return format === 'uri' ? 'an address' : 'text'
}
