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
  readonly allowed: ReadonlySet<string>
  readonly prompts: boolean
  readonly resources: boolean
  readonly capabilities: readonly Capability[]
  readonly facts: FlowFacts
}

/** By what an agent reaches which data, and whether that goes together. Decides; touches nothing. */
export function dataFlowOf(items: readonly FlowItem[]): DataFlow {
  const reach: Record<FlowLabel, string[]> = { private: [], untrusted: [], outward: [] }
  for (const item of items.filter(({ usable }) => usable)) {
    const prefix = item.plainNames ? undefined : item.instanceName
    for (const { name, annotations } of item.capabilities)
      if (item.allowed.has(name))
        for (const { label } of labelsOf(item.facts, name, annotations?.['openWorldHint']))
          reach[label].push(gatewayNameOf(prefix, name))
    // Who reads a prompt or a resource is told something; who asks for one says something: arguments, or any address. What a
    // server has of them is not known here, nor is an address looked for in its lists.
    if (item.prompts || item.resources)
      for (const { label } of labelsOf(item.facts, WHOLE)) reach[label].push(item.instanceName)
  }
  return { ...reach, warnings: warningsOf(reach) }
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
