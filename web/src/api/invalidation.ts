import type { ChangeHint, OPERATIONS } from '@agentopia/api'

type OperationId = (typeof OPERATIONS)[number]['id']

/** Which reads speak of which noun. A hint about the noun makes them old. */
const READS_OF = {
  toolbox: [
    'listToolboxes',
    'getToolbox',
    'listDropletActions',
    'listRollouts',
    'listInstances',
    'getInstance',
    'listGroups',
    'getGroup',
  ],
  instance: [
    'listInstances',
    'getInstance',
    'listGroups',
    'getGroup',
    'listCapabilities',
    'listToolboxes',
    'getToolbox',
    'listToolbelt',
    'listToolbeltCapabilities',
    'getAgentDataFlow',
    'listFlowLabels',
  ],
  agent: ['listAgents', 'getAgent', 'listToolbelt'],
  toolbelt: ['listToolbelt', 'listToolbeltCapabilities', 'getCredential', 'listAgents', 'getAgent', 'getAgentDataFlow'],
  call: ['listCalls', 'getCall', 'listAgents', 'getAgent'],
  approval: ['listApprovals'],
  settings: ['getCallSettings', 'getPayloadRules', 'listOAuthClients'],
  activity: ['listActivity', 'listSessions', 'listPasskeys'],
  tool: ['listCatalog', 'getCatalogTool'],
  registry: ['listRegistries'],
  image: ['listImageArchives'],
  provider: ['getProvider', 'listProviderOptions', 'listSnapshots'],
  token: ['listAgentTokens', 'listConnectedClients', 'listApiTokens', 'getMe'],
  member: ['listMembers', 'listInvitations', 'getMe'],
} as const satisfies Record<Exclude<ChangeHint['noun'], 'everything'>, readonly OperationId[]>

/** The operations to read again after some hints; `everything` when there is no telling. */
export function readsAfter(hints: readonly ChangeHint[]): ReadonlySet<string> | 'everything' {
  const reads = new Set<string>()
  for (const { noun } of hints) {
    if (noun === 'everything') return 'everything'
    for (const read of READS_OF[noun]) reads.add(read)
  }
  return reads
}
