/** What is wrong with which field, and what belongs to none. */
export interface FieldProblems {
  readonly fields: Readonly<Record<string, string>>
  readonly rest: readonly string[]
}

/**
 * Reads the detail of `invalid-config` and `invalid-request` back into fields: `✖ message → at path`, repeated.
 * Unknown keys are named inside a message that belongs to none.
 */
export function fieldProblemsOf(detail: string): FieldProblems {
  const fields: Record<string, string> = {}
  const rest: string[] = []
  for (const part of detail.split('✖').slice(1)) {
    const [message = '', path] = part.split('→ at ').map((text) => text.trim().replace(/;(?: \w+:)?$/, ''))
    const field = path?.split('.').at(-1)
    if (field) fields[field] ??= message
    else if (message) rest.push(message)
  }
  return { fields, rest }
}
