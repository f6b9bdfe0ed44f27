import { safeParse } from 'zod/v4/core'
import { linesOf, wordsOfIssue } from './field-lines.ts'
import type { Operation, Parsed } from './operation.ts'

/** What arrived, before anything is known about it. */
export interface RawInput {
  readonly params: unknown
  readonly query: unknown
  /** `undefined` when there was no body, or none that is JSON. */
  readonly body: unknown
}

export type ParsedInput<Op extends Operation> = { readonly input: Parsed<Op> } | { readonly invalid: string }

/** Checks a request against its operation. `invalid` names every wrong field on a line of its own, never its value. */
export function parseInput<Op extends Operation>(op: Op, raw: RawInput): ParsedInput<Op> {
  const input: Record<string, unknown> = {}
  const wrong: string[] = []
  for (const part of ['params', 'query', 'body'] as const) {
    const schema = op[part]
    if (!schema) continue
    if (part === 'body' && raw.body === undefined) {
      wrong.push('body: a JSON body is required')
      continue
    }
    const result = safeParse(schema, raw[part], { error: wordsOfIssue })
    if (result.success) input[part] = result.data
    else wrong.push(...linesOf(part, result.error.issues))
  }
  return wrong.length === 0 ? { input: input as Parsed<Op> } : { invalid: wrong.join('\n') }
}
