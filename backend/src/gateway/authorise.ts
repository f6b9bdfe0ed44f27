import type { AgentLimits, PayloadRule, SecretPolicy } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import type { DtmaAddress } from '../toolboxes/dtma-client.ts'

/** One toolbelt item as the gateway sees it. */
export interface BeltItem {
  readonly id: string
  readonly enabled: boolean
  /** May the agent use the toolbox at all? */
  readonly toolboxAccess: boolean
  /**
   * Capabilities that are allowed, each with the digest of the definition that was; all others are denied.
   * `null`: the server had not offered it until this toolbelt was read.
   */
  readonly allowed: ReadonlyMap<string, string | null>
  /** Of these, what a person is asked for each time. */
  readonly asked: ReadonlySet<string>
  /** Are all prompts of the server allowed; all its resources? */
  readonly prompts: boolean
  readonly resources: boolean
  /** Its names at the gateway are those of its server. */
  readonly plainNames: boolean
  readonly instance: {
    readonly id: string
    readonly name: string
    readonly generation: number
    /** SHA-256 of what runs, hex: package and version, configuration and image. */
    readonly specDigest: string
    readonly desired: 'running' | 'stopped' | 'absent'
    readonly capabilities: readonly Capability[]
    /** The agent lacks a secret that its own container needs: nothing is offered to it before it has that. */
    readonly lacksSecret?: boolean
    /** How what is sent and answered is kept; absent: it is not. */
    readonly payloads?: PayloadRule
    readonly toolbox: DtmaAddress
  }
}

/** What one agent may use. */
export interface Toolbelt {
  readonly agent: {
    readonly id: string
    readonly accountId: string
    readonly name: string
    readonly enabled: boolean
    /** The switch of the whole account. */
    readonly accountEnabled: boolean
    readonly limits: AgentLimits
    /** What the account does about texts that look like a secret. */
    readonly secrets: SecretPolicy
  }
  readonly items: readonly BeltItem[]
}

type Denial =
  | 'account-disabled'
  | 'agent-disabled'
  | 'item-disabled'
  | 'no-toolbox-access'
  | 'instance-not-running'
  | 'not-granted'
  | 'not-offered'
  | 'missing-credential'
  | 'capability-changed'

export type Decision =
  | { readonly allowed: true; readonly capability: Capability; readonly ask: boolean }
  | { readonly allowed: false; readonly because: Denial }

/** May this agent use this capability now? The only place that says so: what is listed, called and executed asks here. */
export function authorise(toolbelt: Toolbelt, item: BeltItem, capabilityName: string): Decision {
  const because = denialOf(toolbelt, item, item.allowed.has(capabilityName))
  if (because) return denied(because)
  const capability = item.instance.capabilities.find(({ name }) => name === capabilityName)
  if (!capability) return denied(item.instance.lacksSecret ? 'missing-credential' : 'not-offered')
  const pinned = item.allowed.get(capabilityName) ?? capability.digest
  if (pinned !== capability.digest) return denied('capability-changed')
  return { allowed: true, capability, ask: item.asked.has(capabilityName) }
}

/** The same for what a server has beside capabilities. What there is of it, only the server knows. */
export function authoriseAll(toolbelt: Toolbelt, item: BeltItem, what: 'prompts' | 'resources'): Denial | undefined {
  return denialOf(toolbelt, item, item[what])
}

function denialOf({ agent }: Toolbelt, item: BeltItem, granted: boolean): Denial | undefined {
  if (!agent.accountEnabled) return 'account-disabled'
  if (!agent.enabled) return 'agent-disabled'
  if (!item.enabled) return 'item-disabled'
  if (!item.toolboxAccess) return 'no-toolbox-access'
  if (!granted) return 'not-granted'
  return item.instance.desired === 'running' ? undefined : 'instance-not-running'
}

const denied = (because: Denial): Decision => ({ allowed: false, because })
