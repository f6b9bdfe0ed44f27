import type { FormField } from './form-fields.ts'

/** What stands in the controls: text, except that a switch is on, off or untouched. */
export type FormValues = Readonly<Record<string, string | boolean | undefined>>

export type Filled =
  | { readonly ok: true; readonly values: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problems: Readonly<Record<string, string>> }

/** What the controls show first. */
export const initialValues = (
  fields: readonly FormField[],
  known: Readonly<Record<string, unknown>> = {},
): FormValues =>
  Object.fromEntries(
    fields.map((field) => {
      const value = known[field.name] ?? field.defaultValue
      if (field.kind === 'boolean') return [field.name, typeof value === 'boolean' ? value : undefined]
      return [field.name, value === undefined ? '' : textOf(value, field.kind)]
    }),
  )

const textOf = (value: unknown, kind: FormField['kind']): string =>
  kind === 'json' || typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)

/** Reads the controls. What is empty and not required is left out, so that the tool's own default holds. */
export function readValues(fields: readonly FormField[], form: FormValues): Filled {
  const values: Record<string, unknown> = {}
  const problems: Record<string, string> = {}
  for (const field of fields) {
    const read = readOne(field, form[field.name])
    if ('problem' in read) problems[field.name] = read.problem
    else if (read.value !== undefined) values[field.name] = read.value
  }
  return Object.keys(problems).length === 0 ? { ok: true, values } : { ok: false, problems }
}

type Read = { readonly value: unknown } | { readonly problem: string }

function readOne(field: FormField, given: string | boolean | undefined): Read {
  if (field.kind === 'boolean') return given === undefined && field.required ? { value: false } : { value: given }
  const text = typeof given === 'string' ? given : ''
  if (text.trim() === '') return field.required ? { problem: 'Needed' } : { value: undefined }
  switch (field.kind) {
    case 'text':
      return { value: text }
    case 'choice':
      return { value: field.choices?.find((choice) => String(choice) === text) ?? text }
    case 'integer':
      return Number.isSafeInteger(Number(text)) ? { value: Number(text) } : { problem: 'A whole number' }
    case 'number':
      return Number.isFinite(Number(text)) ? { value: Number(text) } : { problem: 'A number' }
    case 'json':
      return readJson(text)
  }
}

/** One JSON value. */
function readJson(text: string): Read {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { problem: `Not JSON: ${error instanceof Error ? error.message : 'unreadable'}` }
  }
}

/** The arguments of a call, written by hand. */
export function readArguments(text: string): Filled {
  const read = readJson(text.trim() === '' ? '{}' : text)
  if ('problem' in read) return { ok: false, problems: { '': read.problem } }
  const { value } = read
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ok: true, values: value as Record<string, unknown> }
    : { ok: false, problems: { '': 'The arguments are a JSON object: { … }' } }
}
