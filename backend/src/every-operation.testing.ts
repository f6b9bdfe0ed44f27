import type { UserOperation } from '@agentopia/api'

// What it takes to send a right request for any operation of the contract.

/** The least that fits the contract, for operations whose body may not be empty. */
export const BODIES: Readonly<Record<string, unknown>> = {
  signIn: { email: 'nobody@example.com', password: 'wrong' },
  redeemSignInLink: { token: 'link_no-such-token-at-all' },
  setPassword: { newPassword: 'long enough a password', email: 'viewer@example.com' },
  proveByPassword: { password: 'wrong' },
  addPasskey: {
    name: 'laptop',
    credential: {
      id: 'x',
      rawId: 'x',
      type: 'public-key',
      response: { clientDataJSON: 'e30', attestationObject: 'oA' },
    },
  },
  signInWithPasskey: {
    credential: {
      id: 'x',
      rawId: 'x',
      type: 'public-key',
      response: { clientDataJSON: 'e30', authenticatorData: 'x', signature: 'x' },
    },
  },
  proveByPasskey: {
    credential: {
      id: 'x',
      rawId: 'x',
      type: 'public-key',
      response: { clientDataJSON: 'e30', authenticatorData: 'x', signature: 'x' },
    },
  },
  startSignOn: {},
  finishSignOn: { state: 'of-nobody', code: 'x' },
  createApiToken: { name: 'cli', role: 'viewer' },
  changeToolboxRoad: { road: 'direct', address: '203.0.113.7' },
  createToolbox: { provider: 'join', name: 'server' },
  runOverSsh: { action: 'update', hostKey: 'SHA256:x', login: { type: 'account-key' } },
  startDropletAction: { kind: 'reboot' },
  setProviderToken: { token: 'dop_v1_no_such_token' },
  addCatalogTool: {
    id: 'own-tool',
    title: 'Own',
    spec: { package: { type: 'oci', image: 'example/x:1' }, transport: { type: 'stdio' } },
  },
  putRegistryCredential: { username: 'robot', password: 'not-a-password' },
  beginImageArchive: { digest: `sha256:${'0'.repeat(64)}`, size: 1 },
  deployTool: { toolId: 'everything', name: 'second' },
  createGroup: { name: 'desk', members: [{ toolId: 'everything', name: 'first' }] },
  updateInstance: { config: {} },
  createAgent: { name: 'another' },
  createAgentToken: { name: 'laptop' },
  changeMemberRole: { role: 'viewer' },
  createInvitation: { email: 'guest@example.com', role: 'viewer' },
  readInvitation: { token: 'inv_no-such-token-at-all' },
  acceptInvitation: { token: 'inv_no-such-token-at-all', name: 'Guest', password: 'long enough a password' },
  decideAuthorization: { request: 'q', decision: { kind: 'refuse' } },
  addToolbeltItem: { instanceId: 'inst_0000000000000000' },
  approveCapabilities: { approve: [{ capability: 'echo', digest: 'd' }] },
  putCredential: { values: { apiKey: 'not-a-key' } },
  executeCapability: { capability: 'echo' },
  decideApproval: { decision: 'deny' },
  switchCalls: { enabled: true },
  updateCallSettings: { retentionDays: 90 },
  putFlowLabels: { labels: ['private'] },
  finishConnection: { server: 'none', state: 'of-nobody', code: 'x' },
  putOAuthClient: { issuer: 'https://login.example.com', clientId: 'x' },
  putPayloadRule: { days: 1 },
}

/** Ids of things that nobody has. */
export const nowhere: Readonly<Record<string, string>> = {
  toolboxId: 'toolbox_0000000000000000',
  instanceId: 'inst_0000000000000000',
  rolloutId: 'roll_0000000000000000',
  groupId: 'group_0000000000000000',
  agentId: 'agent_0000000000000000',
  toolbeltItemId: 'belt_0000000000000000',
  tokenId: 'token_0000000000000000',
  passkeyId: 'passkey_0000000000000000',
  userId: 'user_0000000000000000',
  invitationId: 'invite_0000000000000000',
  grantId: 'grant_0000000000000000',
  approvalId: 'appr_0000000000000000',
  snapshotId: '1',
  toolId: 'no-such-tool',
  callId: 'call_0000000000000000',
  registry: 'registry.example',
  digest: `sha256:${'0'.repeat(64)}`,
  offset: '0',
  sessionId: 'session0000000000000',
}

/** The path of an operation with these ids in it; tokens of agents have a name of their own among them. */
export const pathOf = (op: UserOperation, ids: Readonly<Record<string, string>>): string =>
  op.path.replaceAll(/:(\w+)/g, (_, name: string) =>
    name === 'tokenId' && op.path.includes('/agents/') ? (ids['agentTokenId'] ?? ids[name]!) : ids[name]!,
  )
