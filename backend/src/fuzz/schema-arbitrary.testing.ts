import fc, { type Arbitrary } from 'fast-check'

/** As much of JSON Schema as the printed description of the API uses. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

const LONGEST_LIST = 4
const LONGEST_TEXT = 400

/** Values that the schema allows. @param known Texts to take instead where they fit its pattern: ids of things that exist. */
export function arbitraryOf(schema: JsonSchema, known: readonly string[] = []): Arbitrary<unknown> {
  const inner = (one: JsonSchema) => arbitraryOf(one, known)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map(inner))
  switch (schema.type) {
    case 'string':
      return textOf(schema, known)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1_000, max: Math.min(schema.maximum ?? 1_000_000, 2 ** 31 - 1) })
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array': {
      const minLength = schema.minItems ?? 0
      return fc.array(inner(schema.items ?? {}), { minLength, maxLength: Math.max(minLength, LONGEST_LIST) })
    }
    case 'object':
      return objectOf(schema, inner)
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

function textOf(schema: JsonSchema, known: readonly string[]): Arbitrary<string> {
  const { pattern } = schema
  const made = madeText(schema)
  const shape = pattern === undefined ? undefined : new RegExp(pattern)
  const fitting = known.filter((text) => shape?.test(text))
  return fitting.length === 0 ? made : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...fitting) }, made)
}

/** Making one costs far more than drawing from it, and the same few are asked for again and again. */
const texts = new Map<string, Arbitrary<string>>()

function madeText(schema: JsonSchema): Arbitrary<string> {
  const key = JSON.stringify([schema.pattern, schema.format, schema.minLength, schema.maxLength])
  const found = texts.get(key) ?? newText(schema)
  texts.set(key, found)
  return found
}

function newText({ pattern, format, minLength = 0, maxLength = LONGEST_TEXT }: JsonSchema): Arbitrary<string> {
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if (format === 'email') return fc.emailAddress()
  if (format === 'uri') return fc.webUrl()
  const most = Math.max(minLength, Math.min(maxLength, LONGEST_TEXT))
  if (pattern === undefined) return fc.string({ minLength, maxLength: most, unit: 'grapheme' })
  return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, maxLength))
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  inner: (schema: JsonSchema) => Arbitrary<unknown>,
): Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, inner(schema)]))
  const fixed = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) })
  if (typeof additionalProperties !== 'object') return fixed
  const more = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), inner(additionalProperties), { maxKeys: 3 })
  return fc.tuple(fixed, more).map(([some, others]) => ({ ...others, ...some }))
}

/** What no schema allows, or hardly any. */
export const nonsense: Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    '',
    '\u0000',
    '\ud800',
    '../../etc/passwd',
    "'; drop table agents; --",
    '{{7*7}}',
    '%00',
    '__proto__',
    'x'.repeat(70_000),
    -1,
    2 ** 53,
    1e308,
    -0.5,
    [],
    {},
    [[[[[[[[]]]]]]]],
    { $ref: 'file:///etc/passwd' },
  ),
)

/** The value with one part of it, or all of it, replaced by something else, taken away or doubled. */
export function broken(value: unknown): Arbitrary<unknown> {
  const places = placesIn(value)
  return fc
    .tuple(fc.constantFrom(...places), nonsense, fc.constantFrom('replace', 'remove', 'add'))
    .map(([place, other, how]) => changed(value, place, other, how))
}

type Place = readonly (string | number)[]

function placesIn(value: unknown, at: Place = []): Place[] {
  if (value === null || typeof value !== 'object') return [at]
  return [at, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...at, key]))]
}

function changed(value: unknown, [step, ...rest]: Place, other: unknown, how: string): unknown {
  if (step === undefined) {
    if (how === 'add' && value !== null && typeof value === 'object')
      return Array.isArray(value) ? [...value, other] : { ...value, surprise: other }
    return other
  }
  const entries = Object.entries(value as object)
  const kept = how === 'remove' && rest.length === 0 ? entries.filter(([key]) => key !== step) : entries
  const next = kept.map(([key, inner]) => [key, key === step ? changed(inner, rest, other, how) : inner] as const)
  return Array.isArray(value) ? next.map(([, inner]) => inner) : Object.fromEntries(next)
}
