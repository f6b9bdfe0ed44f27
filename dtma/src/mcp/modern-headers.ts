import { headerValueOf, META_KEY, metaOf, nameOf } from '../contract/mcp.ts'
import type { Capability } from '../contract/tool.ts'
import type { UpstreamRequest } from './upstream.ts'

type Params = UpstreamRequest['params']
type Schema = { readonly properties?: Readonly<Record<string, Schema>>; readonly 'x-mcp-header'?: unknown }

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
      if (typeof name === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && isPlain(value))
        headers[`mcp-param-${name.toLowerCase()}`] = headerValueOf(String(value))
      else walk(Object(schema) as Schema, value)
    }
  }
  if (capability) walk(capability.inputSchema as Schema, args)
  return headers
}

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)
