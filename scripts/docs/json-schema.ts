import { bare, type Override, type Schema, tidy } from '@agentopia/api/json-schema'
import { type $ZodType, registry, toJSONSchema } from 'zod/v4/core'

/** Schemas by the name that they are exported under. */
export type NamedSchemas = ReadonlyMap<string, $ZodType>

const PLACE = '#/components/schemas/'

/** The schemas among the exports of a module. */
export const schemasIn = (module: object): NamedSchemas =>
  new Map(Object.entries(module).filter((entry): entry is [string, $ZodType] => isSchema(entry[1])))

const isSchema = (value: unknown): value is $ZodType => typeof value === 'object' && value !== null && '_zod' in value

/**
 * What comes back: each of `wanted`, and of `named` whatever they refer to, as components that refer to each other.
 * @param named Are referred to by name wherever they occur.
 * @returns A reference for each of `wanted`, and the components themselves, in the order of their names.
 */
export function components(named: NamedSchemas, wanted: NamedSchemas) {
  const schemas = registry<{ id: string }>()
  const names = new Map<$ZodType, string>()
  for (const [id, schema] of [...named, ...wanted])
    if (!names.has(schema)) {
      names.set(schema, id)
      schemas.add(schema, { id })
    }
  const printed = toJSONSchema(schemas, { io: 'output', uri: (id) => PLACE + id, override: tidyReply }).schemas
  const used = new Set<string>()
  const open = [...wanted.values()].map((schema) => names.get(schema)!)
  for (let id = open.pop(); id !== undefined; id = open.pop())
    if (!used.has(id)) {
      used.add(id)
      open.push(...referredTo(printed[id]!))
    }
  return {
    refOf: (schema: $ZodType) => ({ $ref: PLACE + names.get(schema)! }),
    schemas: Object.fromEntries([...used].sort().map((id) => [id, bare(printed[id]!)])),
  }
}

const referredTo = (schema: Schema): readonly string[] =>
  [...JSON.stringify(schema).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map((found) => found[1]!)

/** Later versions may answer with more: only schemas that are closed on purpose say that they are. */
const tidyReply: Override = (context) => {
  tidy(context)
  const { def } = context.zodSchema._zod as { def: { type: string; catchall?: unknown } }
  if (def.type === 'object' && def.catchall === undefined) delete context.jsonSchema.additionalProperties
}
