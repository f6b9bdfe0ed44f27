import type { FlowLabel, FlowSource, LabelledCapability, Tool } from '@agentopia/api'

/** What a catalogue entry says of its data. */
export interface CatalogueFlow {
  /** Of the server as a whole; absent: what follows from its secrets, its state and its network. */
  readonly labels?: readonly FlowLabel[]
  /** Of capabilities that differ. */
  readonly capabilities?: Readonly<Record<string, readonly FlowLabel[]>>
}

/** Everything that decides what a capability means for the flow of data. */
export interface FlowFacts {
  /** What it was deployed from; `undefined`: a curated entry that is not there any more, and nothing is known. */
  readonly tool: Pick<Tool, 'egress' | 'keepsState' | 'secrets'> | undefined
  readonly flow: CatalogueFlow | undefined
  /** What an administrator said: by capability, empty for the whole server. */
  readonly said: ReadonlyMap<string, readonly FlowLabel[]>
}

type Labels = LabelledCapability['labels']

/** The server as a whole, with its prompts and resources. */
export const WHOLE = ''

/**
 * Labels of one capability, or of the server. What somebody said holds; then what the catalogue says; then what follows. What cannot leave
 * the container's network cannot leave, whatever is claimed of it by anybody but an administrator.
 * @param openWorld Annotation of the server: false, it deals with nothing outside.
 */
export function labelsOf({ tool, flow, said }: FlowFacts, capability: string, openWorld?: unknown): Labels {
  const own = said.get(capability) ?? said.get(WHOLE)
  if (own) return own.map((label) => ({ label, source: 'admin' }))
  const closed = tool?.egress === 'none'
  const known = flow?.capabilities?.[capability] ?? flow?.labels
  if (known)
    return known.filter((label) => !(closed && label === 'outward')).map((label) => ({ label, source: 'catalogue' }))
  return derived(tool, !closed && openWorld !== false)
}

function derived(tool: FlowFacts['tool'], open: boolean): Labels {
  const labels: { label: FlowLabel; source: FlowSource }[] = []
  // What it is given a secret for, or keeps, is somebody's.
  if (tool?.keepsState) labels.push({ label: 'private', source: 'state' })
  else if (!tool || tool.secrets.length > 0) labels.push({ label: 'private', source: 'secrets' })
  // A request to elsewhere carries something out, and brings back what others wrote.
  if (open) labels.push({ label: 'untrusted', source: 'network' }, { label: 'outward', source: 'network' })
  return labels
}

/** The whole server and each of its capabilities. */
export function labelledOf(
  facts: FlowFacts,
  capabilities: readonly {
    readonly name: string
    readonly annotations?: Readonly<Record<string, unknown>> | undefined
  }[],
): LabelledCapability[] {
  return [
    { labels: labelsOf(facts, WHOLE), overridden: facts.said.has(WHOLE) },
    ...capabilities.map(({ name, annotations }) => ({
      capability: name,
      labels: labelsOf(facts, name, annotations?.['openWorldHint']),
      overridden: facts.said.has(name),
    })),
  ]
}
