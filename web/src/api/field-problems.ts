/** What is wrong with which field, and what belongs to none. */
export interface FieldProblems {
  readonly fields: Readonly<Record<string, string>>
  readonly rest: readonly string[]
}

const PARTS = /^(?:params|query|body|config)((?:\.[^:\n]+)?): (.+)$/

/** Reads the detail of `invalid-config` and `invalid-request` back into fields: a line each, `body.name: is missing`. */
export function fieldProblemsOf(detail: string): FieldProblems {
  const fields: Record<string, string> = {}
  const rest: string[] = []
  for (const line of detail.split('\n')) {
    const [, path, message] = PARTS.exec(line) ?? []
    if (message === undefined) continue
    const field = path?.split('.').at(-1)
    if (field) fields[field] ??= message
    else rest.push(message)
  }
  return { fields, rest }
}
