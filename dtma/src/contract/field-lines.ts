import type * as z from 'zod/v4/core'

/**
 * What is wrong with one field, in our words: for `safeParse(schema, value, { error: wordsOfIssue })`. What a schema says itself
 * goes before it. Never the value: it may be a secret.
 */
export function wordsOfIssue(issue: z.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${TYPES[issue.expected] ?? 'of another type'}`
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`
    case 'too_big':
      return `must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'is not written as it should be'
    default:
      return 'is not as the contract says'
  }
}

/** One line for each wrong field: `body.email: must be an e-mail address`. @param part Comes before every path. */
export function linesOf(part: string, issues: readonly z.$ZodIssue[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => `${pathOf(part, [...issue.path, key])}: is not known here`)
    return [`${pathOf(part, issue.path)}: ${issue.message}`]
  })
}

const LONGEST_STEP = 64

/** Names of fields may come from whoever sent them: nothing in them ends the line. */
const pathOf = (part: string, path: readonly PropertyKey[]): string =>
  [part, ...path]
    .map((step) =>
      String(step)
        .slice(0, LONGEST_STEP)
        .replaceAll(/\p{Cc}/gu, '?'),
    )
    .join('.')

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
}

const UNITS: Readonly<Record<string, string>> = { string: ' characters long', array: ' entries long' }

const FORMATS: Readonly<Record<string, string>> = {
  email: 'must be an e-mail address',
  url: 'must be an address (URL)',
  datetime: 'must be a time as in RFC 3339',
  safeint: 'must be a whole number',
}
