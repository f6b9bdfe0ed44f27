import type { Capability } from '@agentopia/dtma/contract'
import type { DtmaAddress } from '../toolboxes/dtma-client.ts'

/** One toolbelt item as the gateway sees it. */
export interface BeltItem {
  readonly id: string
  readonly enabled: boolean
  /** May the agent use the toolbox at all? */
  readonly toolboxAccess: boolean
  /** Capabilities that are allowed; all others are denied. */
  readonly allowed: ReadonlySet<string>
  readonly instance: {
    readonly id: string
    readonly name: string
    readonly desired: 'running' | 'stopped' | 'absent'
    readonly capabilities: readonly Capability[]
    readonly toolbox: DtmaAddress
  }
}

/** What one agent may use. */
export interface Toolbelt {
  readonly agent: { readonly id: string; readonly accountId: string; readonly name: string; readonly enabled: boolean }
  readonly items: readonly BeltItem[]
}

type Denial =
  | 'agent-disabled'
  | 'item-disabled'
  | 'no-toolbox-access'
  | 'instance-not-running'
  | 'not-granted'
  | 'not-offered'

export type Decision =
  | { readonly allowed: true; readonly capability: Capability }
  | { readonly allowed: false; readonly because: Denial }

/** May this agent use this capability now? The only place that says so: what is listed, called and executed asks here. */
export function authorise({ agent }: Toolbelt, item: BeltItem, capabilityName: string): Decision {
  if (!agent.enabled) return denied('agent-disabled')
  if (!item.enabled) return denied('item-disabled')
  if (!item.toolboxAccess) return denied('no-toolbox-access')
  if (!item.allowed.has(capabilityName)) return denied('not-granted')
  if (item.instance.desired !== 'running') return denied('instance-not-running')
  const capability = item.instance.capabilities.find(({ name }) => name === capabilityName)
  return capability ? { allowed: true, capability } : denied('not-offered')
}

const denied = (because: Denial): Decision => ({ allowed: false, because })
