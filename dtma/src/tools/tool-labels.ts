import { createHash } from 'node:crypto'
import type { ToolSpec } from '../contract/tool.ts'

/** Labels with these prefixes are ours: no image may bring one. */
export const RESERVED_LABEL_PREFIXES = ['dtma.', 'agentopia.'] as const

/** Names of the labels that we put on containers, networks, volumes and images. */
export const LABEL = {
  /** Which DTMA: the random id of its state directory. */
  owner: 'dtma.owner',
  /** Which tool, by name. */
  instance: 'dtma.instance',
  generation: 'dtma.generation',
  /** {@link specHashOf} of the spec that the container was made from. */
  spec: 'dtma.spec',
  /** Random, made when the tool was accepted and known to our state directory alone: labels that come with an image cannot guess it. */
  claim: 'dtma.claim',
  /** The claim again, on a container that is no tool but helps to prepare one. */
  helper: 'dtma.helper',
} as const

/** Docker allows one container of a name, so a create that is repeated cannot double a tool. */
export const containerNameOf = (name: string, generation: number): string => `dtma-${name}-${generation}`
/** Name of the tool's own network, and of its state volume. */
export const resourceNameOf = (name: string): string => `dtma-${name}`

/** Changes whenever {@link createBody} makes another container of the same spec. */
const PROFILE = 'strict-3'

/** Two specs of one hash make the same container. 32 hex digits. */
export const specHashOf = (spec: ToolSpec): string =>
  createHash('sha256')
    .update(`${PROFILE}\n${canonicalJson(spec)}`)
    .digest('hex')
    .slice(0, 32)

/** JSON with sorted keys: equal values make equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
