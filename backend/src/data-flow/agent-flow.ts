import type { DataFlow, FlowLabel } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import { gatewayNameOf } from '../gateway/names.ts'
import { type FlowFacts, labelsOf, WHOLE } from './flow-labels.ts'

/** One toolbelt item, as far as data flows through it. */
export interface FlowItem {
  readonly instanceName: string
  readonly plainNames: boolean
  /** Switched on, and on a toolbox that the agent may use. */
  readonly usable: boolean
  /** What is allowed, each with the definition that was; `null`: its server had not offered it until then. */
  readonly allowed: ReadonlyMap<string, Capability | null>
  readonly prompts: boolean
  readonly resources: boolean
  /** Is it this agent that is offered these? If not, others are, and its own container was not asked yet. */
  readonly known: boolean
  readonly capabilities: readonly Capability[]
  readonly facts: FlowFacts
}

/** By what an agent reaches which data, and whether that goes together. Decides; touches nothing. */
export function dataFlowOf(items: readonly FlowItem[]): DataFlow {
  const reach: Record<FlowLabel, string[]> = { private: [], untrusted: [], outward: [] }
  for (const item of items.filter(({ usable }) => usable)) {
    const prefix = item.plainNames ? undefined : item.instanceName
    for (const { name, annotations } of reachedOf(item))
      for (const { label } of labelsOf(item.facts, name, annotations?.['openWorldHint']))
        reach[label].push(gatewayNameOf(prefix, name))
    // Who reads a prompt or a resource is told something; who asks for one says something: arguments, or any address. What a
    // server has of them is not known here, nor is an address looked for in its lists.
    if (item.prompts || item.resources)
      for (const { label } of labelsOf(item.facts, WHOLE)) reach[label].push(item.instanceName)
  }
  return { ...reach, warnings: warningsOf(reach) }
}

/**
 * What of it the agent may call, now or as soon as it is there: nobody is asked again before that. Of what was never offered nothing
 * is said but by its server as a whole.
 */
function reachedOf({ allowed, known, capabilities }: FlowItem): Pick<Capability, 'name' | 'annotations'>[] {
  const offered = new Map(capabilities.map((capability) => [capability.name, capability]))
  return [...new Set([...offered.keys(), ...[...allowed.keys()].sort()])].flatMap((name) => {
    const pinned = allowed.get(name)
    if (pinned === undefined) return []
    const now = offered.get(name)
    if (!known) return pinned ?? now ?? { name }
    // What is gone, or is not what was allowed, is not called: the one is not there, the other waits for its approval.
    if (pinned !== null && pinned.digest !== now?.digest) return []
    return now ?? { name }
  })
}

function warningsOf({
  private: reads,
  untrusted,
  outward,
}: Record<FlowLabel, readonly string[]>): DataFlow['warnings'] {
  if (reads.length === 0 || untrusted.length === 0 || outward.length === 0) return []
  const message =
    `It reads private data (${some(reads)}), sees what strangers wrote (${some(untrusted)}) and can send outwards (${some(outward)}): ` +
    'what it reads can make it give the data away. Deny one of the three, or give them to different agents.'
  return [{ kind: 'private-untrusted-outward', message }]
}

const SHOWN = 3
const some = (names: readonly string[]): string =>
  names.slice(0, SHOWN).join(', ') + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '')
