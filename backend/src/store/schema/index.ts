export * from './accounts.ts'
export * from './agents.ts'
export * from './approvals.ts'
export * from './auth.ts'
export * from './calls.ts'
export * from './connections.ts'
export * from './credentials.ts'
export * from './data-flow.ts'
export * from './droplet-actions.ts'
export * from './groups.ts'
export * from './installation.ts'
export * from './instances.ts'
export * from './oauth.ts'
export * from './packages.ts'
export * from './payloads.ts'
export * from './providers.ts'
export * from './records.ts'
export * from './replicas.ts'
export * from './rollouts.ts'
export * from './toolboxes.ts'

/** Tables whose changes are announced on the channel `changes`, with the noun that the page knows them by. */
export const ANNOUNCED = {
  account_tool_environments: 'toolbox',
  account_tool_instances: 'instance',
  account_tool_groups: 'instance',
  agents: 'agent',
  agent_tokens: 'token',
  api_tokens: 'token',
  oauth_grants: 'token',
  account_members: 'member',
  account_invitations: 'member',
  agent_toolbox_access: 'agent',
  agent_toolbelt_items: 'toolbelt',
  agent_tool_capability_permissions: 'toolbelt',
  droplet_actions: 'toolbox',
  rollouts: 'toolbox',
  providers: 'provider',
  tool_catalog: 'tool',
  registry_credentials: 'registry',
  image_archives: 'image',
  agent_tool_credentials: 'toolbelt',
  agent_tool_offers: 'instance',
  oauth_connections: 'toolbelt',
  tool_calls: 'call',
  call_settings: 'settings',
  call_approvals: 'approval',
  tool_flow_labels: 'instance',
  call_payload_rules: 'settings',
  oauth_upstream_clients: 'settings',
  activities: 'activity',
} as const
