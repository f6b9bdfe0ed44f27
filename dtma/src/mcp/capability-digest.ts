import { createHash } from 'node:crypto'
import type { Capability } from '../contract/tool.ts'

/** A capability as its server describes it. */
export type Described = Omit<Capability, 'digest'>

/** Hash of what an agent is told: name, title, description, schemas and annotations. The order of keys does not matter. */
export const digestOf = (capability: Described): string => sha256(canonical(capability))

/** Hash over all of them; the order in which the server lists them does not matter. */
export const digestOfAll = (capabilities: readonly Capability[]): string =>
  sha256(
    capabilities
      .map(({ name, digest }) => `${name}:${digest}`)
      .sort()
      .join('\n'),
  )

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** JSON with sorted keys (as RFC 8785 does for objects). */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
    .join(',')}}`
}
