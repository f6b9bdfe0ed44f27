import { type Capability, isObject } from '@agentopia/dtma/contract'
import { hidesText, visible } from './visible-text.ts'
import { type WordRun, wordDiff } from './word-diff.ts'

/** How much a change matters to whoever allowed the capability before. */
export type Severity = 'danger' | 'caution' | 'note'

/** One difference between two definitions of a capability. */
export interface DefinitionChange {
  /** What of it: `description`, `hints`, `arguments.path`, `arguments.path type`, `answer.total`. */
  readonly place: string
  readonly kind: 'added' | 'removed' | 'changed'
  readonly severity: Severity
  /** What it means, in a few words: `newly destructive`. */
  readonly meaning: string
  /** As text; JSON where it is none. Characters that cannot be seen are written out. */
  readonly before?: string
  readonly after?: string
  /** Of a text that changed: word by word. */
  readonly words?: readonly WordRun[]
}

type Definition = Omit<Capability, 'digest'>
type Json = Readonly<Record<string, unknown>>

/** Definitions come from strangers: no more is told of one than a person would read. */
const MOST_CHANGES = 200
const DEEPEST = 24

/** What is different in `to`, gravest first. Empty for definitions that differ in nothing that an agent is told. */
export function definitionDiff(from: Definition, to: Definition): DefinitionChange[] {
  const found = [
    ...hintChanges(from.annotations ?? {}, to.annotations ?? {}),
    ...textChanges('name', from.name, to.name),
    ...textChanges('title', from.title, to.title),
    ...textChanges('description', from.description, to.description),
    ...schemaChanges(ARGUMENTS, from.inputSchema, to.inputSchema),
    ...schemaChanges(ANSWER, from.outputSchema, to.outputSchema),
    ...restOfAnnotations(from.annotations ?? {}, to.annotations ?? {}),
  ].toSorted((one, other) => RANK[one.severity] - RANK[other.severity])
  if (found.length <= MOST_CHANGES) return found
  const left = found.length - MOST_CHANGES
  const more = {
    place: 'everything else',
    kind: 'changed',
    severity: 'danger',
    meaning: `${left} more changes`,
  } as const
  return [more, ...found.slice(0, MOST_CHANGES)]
}

/** The gravest of some changes; `undefined` of none. */
export const gravest = (changes: readonly Pick<DefinitionChange, 'severity'>[]): Severity | undefined =>
  (Object.keys(RANK) as Severity[]).find((severity) => changes.some((one) => one.severity === severity))

const RANK = { danger: 0, caution: 1, note: 2 } as const satisfies Record<Severity, number>

// Hints: what a server says of its own capability. What it does not say has a default in MCP.

interface Hint {
  readonly key: string
  readonly when: (annotations: Json) => boolean
  /** In words, when it begins to hold and when it ceases to. */
  readonly begins: readonly [Severity, string]
  readonly ceases: readonly [Severity, string]
}

const readsOnly = (annotations: Json): boolean => annotations['readOnlyHint'] === true

const HINTS: readonly Hint[] = [
  {
    key: 'readOnlyHint',
    when: readsOnly,
    begins: ['note', 'now only reads'],
    ceases: ['danger', 'no longer only reads'],
  },
  {
    key: 'destructiveHint',
    when: (annotations) => !readsOnly(annotations) && annotations['destructiveHint'] !== false,
    begins: ['danger', 'newly destructive'],
    ceases: ['note', 'no longer destructive'],
  },
  {
    key: 'idempotentHint',
    when: (annotations) => annotations['idempotentHint'] === true,
    begins: ['note', 'may now be repeated without further effect'],
    ceases: ['caution', 'has a further effect each time it is repeated'],
  },
  {
    key: 'openWorldHint',
    when: (annotations) => annotations['openWorldHint'] !== false,
    begins: ['caution', 'newly reaches the world outside'],
    ceases: ['note', 'no longer reaches the world outside'],
  },
]

const hintChanges = (from: Json, to: Json): DefinitionChange[] =>
  HINTS.flatMap(({ key, when, begins, ceases }) => {
    const [before, after] = [when(from), when(to)]
    if (before === after) return []
    const [severity, meaning] = after ? begins : ceases
    return [{ place: 'hints', kind: 'changed', severity, meaning, ...sides(said(from, key), said(to, key)) } as const]
  })

const said = (annotations: Json, key: string): string =>
  `${key}: ${Object.hasOwn(annotations, key) ? written(annotations[key]) : 'not said'}`

/** What has no meaning to us, and hints whose words changed without their meaning. */
function restOfAnnotations(from: Json, to: Json): DefinitionChange[] {
  const meant = new Set(HINTS.filter(({ when }) => when(from) !== when(to)).map(({ key }) => key))
  return keysOf(from, to)
    .filter((key) => !meant.has(key) && written(own(from, key)) !== written(own(to, key)))
    .map((key) => ({
      ...whole(`hints ${visible(key)}`, own(from, key), own(to, key), 'note'),
      meaning: 'says otherwise, and means the same to us',
    }))
}

/** A text that an agent reads is an instruction to it. */
function textChanges(place: string, before: string | undefined, after: string | undefined): DefinitionChange[] {
  if (before === after) return []
  const hides = hidesText(after ?? '') && !hidesText(before ?? '')
  const severity = hides ? 'danger' : 'caution'
  const meaning = hides ? 'holds characters that cannot be seen' : 'tells the agent something else'
  const [old, now] = [before, after].map((text) => text && visible(text))
  return [
    {
      place,
      kind: kindOf(before, after),
      severity,
      meaning,
      ...sides(old, now),
      ...(old === undefined || now === undefined ? {} : { words: wordDiff(old, now) }),
    },
  ]
}

// Schemas: where in them, in the words of who calls.

interface Side {
  readonly root: string
  readonly severity: Severity
}
const ARGUMENTS: Side = { root: 'arguments', severity: 'caution' }
const ANSWER: Side = { root: 'answer', severity: 'note' }

/** Below these, names are the schema's author's; the rest are words of JSON Schema. */
const NAMED: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions'])
const TEXTS: ReadonlySet<string> = new Set(['description', 'title', '$comment'])
/** Lists in which the order means nothing. */
const SETS: ReadonlySet<string> = new Set(['required', 'enum', 'type'])

function schemaChanges(side: Side, from: unknown, to: unknown): DefinitionChange[] {
  return schema(side, side.root, from, to, 0)
}

function schema(side: Side, place: string, from: unknown, to: unknown, depth: number): DefinitionChange[] {
  if (written(from) === written(to)) return []
  if (!isObject(from) || !isObject(to) || depth > DEEPEST) return [valueChange(side, place, '', from, to)]
  return keysOf(from, to).flatMap((key) => keyword(side, place, key, own(from, key), own(to, key), depth))
}

/** One word of a schema at a place. */
function keyword(
  side: Side,
  place: string,
  key: string,
  from: unknown,
  to: unknown,
  depth: number,
): DefinitionChange[] {
  if (NAMED.has(key) && isObject(from ?? {}) && isObject(to ?? {})) {
    const [old, now] = [(from ?? {}) as Json, (to ?? {}) as Json]
    const within = key === 'properties' ? place : `${place} ${key}`
    return keysOf(old, now).flatMap((name) =>
      property(side, `${within}.${visible(name)}`, own(old, name), own(now, name), depth),
    )
  }
  if (key === 'items' || key === 'additionalProperties')
    if (isObject(from) && isObject(to))
      return schema(side, `${place}${key === 'items' ? '[]' : '.*'}`, from, to, depth + 1)
  if (TEXTS.has(key) && isText(from) && isText(to))
    return textChanges(`${place} ${key}`, from, to).map((one) => ({ ...one, severity: milder(side, one.severity) }))
  if (SETS.has(key)) return setChanges(side, place, key, from, to)
  if (isObject(from) && isObject(to)) return schema(side, `${place} ${visible(key)}`, from, to, depth + 1)
  return written(from) === written(to) ? [] : [valueChange(side, place, key, from, to)]
}

function property(side: Side, place: string, from: unknown, to: unknown, depth: number): DefinitionChange[] {
  if (from !== undefined && to !== undefined) return schema(side, place, from, to, depth + 1)
  const is = side === ARGUMENTS ? 'argument' : 'part of the answer'
  if (to === undefined)
    return [{ ...whole(place, from, to, 'note'), meaning: `an ${is} less`.replace('an part', 'a part') }]
  const hides = hidesText(written(to))
  const meaning = hides ? 'holds characters that cannot be seen' : `a new ${is}`
  return [{ ...whole(place, from, to, hides ? 'danger' : side.severity), meaning }]
}

function setChanges(side: Side, place: string, key: string, from: unknown, to: unknown): DefinitionChange[] {
  const [old, now] = [listOf(from), listOf(to)]
  const added = now.filter((one) => !old.includes(one))
  const removed = old.filter((one) => !now.includes(one))
  if (added.length + removed.length === 0) return []
  if (key !== 'required') return [valueChange(side, place, key, from, to)]
  return [
    ...added.map((name) => ({ name, meaning: 'newly required', severity: side.severity, kind: 'added' as const })),
    ...removed.map((name) => ({
      name,
      meaning: 'no longer required',
      severity: 'note' as const,
      kind: 'removed' as const,
    })),
  ].map(({ name, ...one }) => ({ place: `${place}.${name}`, ...one }))
}

function valueChange(side: Side, place: string, key: string, from: unknown, to: unknown): DefinitionChange {
  const change = whole(key === '' ? place : `${place} ${visible(key)}`, from, to, side.severity)
  return { ...change, meaning: side === ARGUMENTS ? 'takes something else' : 'answers something else' }
}

/** The description of a part of the answer does not tell the agent what to send. */
const milder = (side: Side, severity: Severity): Severity =>
  severity === 'caution' && side === ANSWER ? 'note' : severity

const whole = (place: string, from: unknown, to: unknown, severity: Severity) => ({
  place,
  kind: kindOf(from, to),
  severity,
  ...sides(asText(from), asText(to)),
})

const sides = (before: string | undefined, after: string | undefined) => ({
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
})

const kindOf = (from: unknown, to: unknown): DefinitionChange['kind'] =>
  from === undefined ? 'added' : to === undefined ? 'removed' : 'changed'

/** Not what every object has, such as `constructor`. */
const own = (value: Json, key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined)
const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string'
const keysOf = (...all: readonly Json[]): string[] => [...new Set(all.flatMap((one) => Object.keys(one)))].sort()
const listOf = (value: unknown): string[] =>
  value === undefined ? [] : (Array.isArray(value) ? value : [value]).map((one) => asText(one) ?? '')

/** JSON in which the order of keys does not matter; `''` of what is not there. */
const written = (value: unknown): string =>
  value === undefined
    ? ''
    : JSON.stringify(value, (_, inner: unknown) =>
        isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
      )

const asText = (value: unknown): string | undefined =>
  value === undefined ? undefined : visible(typeof value === 'string' ? value : written(value))
