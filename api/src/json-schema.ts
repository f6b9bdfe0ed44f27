import { type $ZodType, type JSONSchema, toJSONSchema } from 'zod/v4/core'

export type Schema = JSONSchema.BaseSchema

/** What a caller sends: written out, since defaults make it differ from what the same schema gives back. */
export const sent = (schema: $ZodType): Schema => bare(toJSONSchema(schema, { io: 'input', override: tidy }))

/** What a text in a URL becomes once it is parsed. */
export const parsed = (schema: $ZodType): Schema => bare(toJSONSchema(schema, { io: 'output', override: tidy }))

/** Without the words of the dialect and the place, which a schema that stands in another document does not have. */
export function bare({ $schema: _dialect, $id: _place, ...schema }: Schema): Schema {
  return schema
}

export type Override = (context: { zodSchema: $ZodType; jsonSchema: Schema }) => void

/** That an integer is one which JavaScript can hold says nothing to the reader. */
export const tidy: Override = ({ jsonSchema }) => {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
