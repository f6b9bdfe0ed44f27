import { type Operation, type Parsed, parseInput, problem } from '@agentopia/api'

/** A body may be wrong in thousands of places; the first few are enough to correct it. */
const DETAIL_LIMIT = 2_000

/** What an operation takes, checked by its schemas. @throws {ProblemError} `invalid-request`, with what is wrong. */
export function checkedInput<Op extends Operation>(op: Op, raw: Parameters<typeof parseInput>[1]): Parsed<Op> {
  const parsed = parseInput(op, raw)
  if ('invalid' in parsed) throw problem('invalid-request', parsed.invalid.slice(0, DETAIL_LIMIT))
  return parsed.input
}
