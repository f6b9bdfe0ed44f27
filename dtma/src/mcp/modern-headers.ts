import { isObject } from '../contract/json-rpc.ts'
import { headerValueOf, META_KEY, metaOf, nameOf } from '../contract/mcp.ts'
import type { Capability } from '../contract/tool.ts'
import type { UpstreamRequest } from './upstream.ts'

type Params = UpstreamRequest['params']
type Schema = { readonly properties?: Readonly<Record<string, Schema>>; readonly 'x-mcp-header'?: unknown }

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Of JSON Schema: what one value of a header can be. */
const PLAIN_TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])

/** In the modern revision, headers repeat what the body says. `undefined` for a request of an earlier one. */
export function modernHeaders(method: string, params: Params): Record<string, string> | undefined {
  const version = metaOf(params)?.[META_KEY.protocolVersion]
  if (typeof version !== 'string') return undefined
  const name = nameOf(method, params)
  return {
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': headerValueOf(name) } : {}),
  }
}

/** The arguments that a tool wants to see in headers too, as its input schema says (`x-mcp-header`). */
export function argumentHeaders(capability: Capability | undefined, args: unknown): Record<string, string> {
  const headers: Record<string, string> = {}
  const walk = ({ properties }: Schema, values: unknown): void => {
    for (const [key, schema] of Object.entries(properties ?? {})) {
      const value = (Object(values) as Record<string, unknown>)[key]
      const name = schema['x-mcp-header']
      if (typeof name === 'string' && HEADER_NAME.test(name) && isPlain(value))
        headers[`mcp-param-${name.toLowerCase()}`] = headerValueOf(String(value))
      else walk(Object(schema) as Schema, value)
    }
  }
  if (capability) walk(capability.inputSchema as Schema, args)
  return headers
}

/** Keywords of JSON Schema with schemas of which nobody can say which argument they are about: of one, of several, by name. */
const ONE = 'items contains additionalProperties propertyNames unevaluatedItems unevaluatedProperties not if then else'
const SEVERAL = 'prefixItems oneOf anyOf allOf'
const BY_NAME = 'patternProperties dependentSchemas $defs definitions'

/**
 * Does each `x-mcp-header` say what it may: a name that a header can have, and no other has, of an argument that is a string, an integer or
 * a boolean? Otherwise the modern revision wants the tool left out where it is spoken to over HTTP.
 */
export function hasValidHeaders({ inputSchema }: Pick<Capability, 'inputSchema'>): boolean {
  const names = new Set<string>()

  function isValid(schema: unknown, place: 'arguments' | 'argument' | 'elsewhere'): boolean {
    if (!isObject(schema)) return true
    const { 'x-mcp-header': name, type, properties, ...others } = schema
    if (name !== undefined) {
      if (place !== 'argument' || typeof name !== 'string' || !HEADER_NAME.test(name) || !isPlainType(type))
        return false
      if (names.has(name.toLowerCase())) return false
      names.add(name.toLowerCase())
    }
    const within = place === 'elsewhere' ? place : 'argument'
    const below = [
      ...ONE.split(' ').map((keyword) => others[keyword]),
      ...`${SEVERAL} ${BY_NAME}`.split(' ').flatMap((keyword) => Object.values(Object(others[keyword]))),
    ]
    return (
      Object.values(Object(properties)).every((each) => isValid(each, within)) &&
      below.every((each) => isValid(each, 'elsewhere'))
    )
  }

  return isValid(inputSchema, 'arguments')
}

/** Of values that a header can hold, each of them; `null` beside them says that there may be none. One that is not named is of any type. */
const isPlainType = (type: unknown): boolean => {
  const types = [type].flat().filter((each) => each !== 'null')
  return types.length > 0 && types.every((each) => PLAIN_TYPES.has(each))
}

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)
