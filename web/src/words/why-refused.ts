import type { Agent, ToolbeltItem, ToolInstance } from '@agentopia/api'

interface Asked {
  readonly agent: Pick<Agent, 'enabled' | 'name'>
  readonly item: Pick<ToolbeltItem, 'enabled' | 'instanceName' | 'offer'>
  readonly permission: Pick<ToolbeltItem['permissions'][number], 'allowed'>
  /** Absent: not known yet. */
  readonly instance: Pick<ToolInstance, 'desired'> | undefined
}

/** Why a call will be refused, as far as the page can know before it is made. Absent: nothing speaks against it. */
export function whyRefused({ agent, item, permission, instance }: Asked): string | undefined {
  if (!agent.enabled)
    return `The kill switch of ${agent.name} is off: the call will be refused, and recorded as denied.`
  if (!item.enabled) return `${item.instanceName} is switched off in the toolbelt: the call will be refused.`
  if (!permission.allowed) return 'It is denied to this agent: the call will be refused, and recorded as denied.'
  if (instance && instance.desired !== 'running') return `${item.instanceName} is stopped: start it first.`
  if (item.offer === 'awaited')
    return `${item.instanceName} has not run for ${agent.name} yet: until it was asked what it offers, nothing of it is open.`
  return undefined
}
