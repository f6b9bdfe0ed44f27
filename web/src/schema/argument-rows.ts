/** One line of the table that explains the arguments of a capability. */
export interface ArgumentRow {
  /** Path from the top: `filters[].name`. */
  readonly path: string
  readonly depth: number
  readonly type: string
  readonly required: boolean
  readonly description?: string
  /** Default, bounds, choices: `default 10`, `≥ 1`, `fast | deep`. */
  readonly notes: readonly string[]
}

type Schema = Readonly<Record<string, unknown>>

/** Deeper and longer than this nobody reads, and a stranger's schema may be endless. */
const DEEPEST = 4
const LONGEST = 200

/** A JSON Schema as lines for people, depth first. Never throws, whatever the schema is. */
export function argumentRows(schema: Schema): readonly ArgumentRow[] {
  const rows: ArgumentRow[] = []
  addProperties(schema, '', 0, rows)
  return rows
}

function addProperties({ properties, required }: Schema, prefix: string, depth: number, rows: ArgumentRow[]): void {
  if (!isSchema(properties) || depth >= DEEPEST) return
  const needed = new Set(Array.isArray(required) ? required : [])
  for (const [name, value] of Object.entries(properties)) {
    if (rows.length >= LONGEST) return
    const property = isSchema(value) ? value : {}
    const path = `${prefix}${name}`
    const { description } = property
    rows.push({
      path,
      depth,
      type: typeWords(property),
      required: needed.has(name),
      ...(typeof description === 'string' && description !== '' ? { description } : {}),
      notes: notesOf(property),
    })
    addProperties(property, `${path}.`, depth + 1, rows)
    if (isSchema(property['items'])) addProperties(property['items'], `${path}[].`, depth + 1, rows)
  }
}

function typeWords(schema: Schema): string {
  const { type, anyOf, oneOf, enum: values, items } = schema
  if (type === 'array') return isSchema(items) ? `${typeWords(items)}[]` : 'array'
  if (typeof type === 'string') return type
  if (Array.isArray(type)) return type.filter((name) => typeof name === 'string').join(' | ') || 'any'
  const either = [anyOf, oneOf].find(Array.isArray) as unknown[] | undefined
  if (either) return [...new Set(either.slice(0, 6).map((one) => (isSchema(one) ? typeWords(one) : 'any')))].join(' | ')
  return Array.isArray(values) ? 'one of' : 'any'
}

const BOUNDS = [
  ['minimum', '≥'],
  ['exclusiveMinimum', '>'],
  ['maximum', '≤'],
  ['exclusiveMaximum', '<'],
  ['minLength', 'length ≥'],
  ['maxLength', 'length ≤'],
] as const

function notesOf(schema: Schema): readonly string[] {
  const { default: preset, enum: values, format } = schema
  return [
    ...(Array.isArray(values) ? [values.slice(0, 12).map(short).join(' | ') + (values.length > 12 ? ' | …' : '')] : []),
    ...(typeof format === 'string' ? [format] : []),
    ...BOUNDS.flatMap(([key, sign]) => (typeof schema[key] === 'number' ? [`${sign} ${schema[key]}`] : [])),
    ...(preset === undefined ? [] : [`default ${short(preset)}`]),
  ]
}

const short = (value: unknown): string => (JSON.stringify(value) ?? '').slice(0, 60)
const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
