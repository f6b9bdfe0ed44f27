import type { ConfigField } from '@agentopia/api'

/** One control of a form. `json`: whatever has no control of its own is written as JSON. */
export interface FormField {
  readonly name: string
  readonly title: string
  readonly description?: string
  readonly kind: 'text' | 'integer' | 'number' | 'boolean' | 'choice' | 'json'
  readonly required: boolean
  /** Of a `choice`. */
  readonly choices?: readonly (string | number)[]
  readonly defaultValue?: unknown
}

type Schema = Readonly<Record<string, unknown>>

/**
 * The form of a JSON Schema object; `undefined` when it is none that a form could fill in. Tools are strangers:
 * nothing about the schema is taken for granted.
 */
export function fieldsOfSchema(schema: Schema): readonly FormField[] | undefined {
  const { properties, required, type } = schema
  if (type !== undefined && type !== 'object') return undefined
  if (properties === undefined) return []
  if (!isSchema(properties)) return undefined
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(properties)
    .map(([name, property]) => fieldOf(name, isSchema(property) ? property : {}, needed.has(name)))
    .toSorted((a, b) => Number(b.required) - Number(a.required))
}

function fieldOf(name: string, property: Schema, required: boolean): FormField {
  const choices = choicesOf(property)
  const { title, description, default: defaultValue } = property
  return {
    name,
    title: typeof title === 'string' && title !== '' ? title : name,
    ...(typeof description === 'string' && description !== '' ? { description } : {}),
    kind: choices ? 'choice' : kindOf(typeOf(property)),
    required,
    ...(choices ? { choices } : {}),
    ...(defaultValue === undefined ? {} : { defaultValue }),
  }
}

function choicesOf({ enum: values, const: only }: Schema): readonly (string | number)[] | undefined {
  const list = Array.isArray(values) ? values : only === undefined ? undefined : [only]
  const plain = list?.filter((value) => typeof value === 'string' || typeof value === 'number')
  return plain && plain.length > 0 && plain.length === list?.length ? plain : undefined
}

const KINDS = { string: 'text', integer: 'integer', number: 'number', boolean: 'boolean' } as const
const kindOf = (type: string | undefined): FormField['kind'] =>
  type !== undefined && Object.hasOwn(KINDS, type) ? KINDS[type as keyof typeof KINDS] : 'json'

/** The one type that a value may have besides null. */
function typeOf({ type, anyOf }: Schema): string | undefined {
  const types = Array.isArray(type) ? type : typeof type === 'string' ? [type] : alternatives(anyOf)
  const given = types.filter((name) => name !== 'null')
  return given.length === 1 && typeof given[0] === 'string' ? given[0] : undefined
}

const alternatives = (anyOf: unknown): readonly unknown[] =>
  Array.isArray(anyOf) ? anyOf.map((one) => (isSchema(one) ? one['type'] : undefined)) : []

/** The form of a catalogue entry's settings. */
export const fieldsOfConfig = (config: readonly ConfigField[]): readonly FormField[] =>
  config.map(({ key, title, description, type, required, default: defaultValue }) => ({
    name: key,
    title,
    ...(description ? { description } : {}),
    kind: type === 'string' ? 'text' : type,
    required: required && defaultValue === undefined,
    ...(defaultValue === undefined ? {} : { defaultValue }),
  }))

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
