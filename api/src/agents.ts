import { Capability } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { AskPattern } from './ask-pattern.ts'
import { FlowWarning } from './data-flow.ts'
import {
  AgentId,
  InstanceId,
  Name,
  Page,
  pageOf,
  secret,
  Timestamp,
  TokenId,
  ToolbeltItemId,
  ToolboxId,
} from './fields.ts'
import { AgentLimits } from './limits.ts'
import { defineUserOperation } from './operation.ts'

/** An AI that calls tools. */
export const Agent = z.object({
  id: AgentId,
  name: Name,
  description: z.string(),
  /** The kill switch: off means every call is refused. */
  enabled: z.boolean(),
  toolboxIds: z.array(ToolboxId).describe('Toolboxes it may use.'),
  toolbeltSize: z.int(),
  limits: AgentLimits,
  createdAt: Timestamp,
  lastCallAt: Timestamp.optional(),
})
export type Agent = z.infer<typeof Agent>

/** One tool instance in the toolbelt of one agent. */
export const ToolbeltItem = z.object({
  id: ToolbeltItemId,
  agentId: AgentId,
  instanceId: InstanceId,
  instanceName: Name,
  toolboxId: ToolboxId,
  toolId: z.string(),
  enabled: z.boolean(),
  /** May the agent use the prompts of the server (and have their arguments completed)? */
  prompts: z.boolean(),
  /** May it read the resources of the server and subscribe to them? */
  resources: z.boolean(),
  /** Its names at the gateway are those of its server, without the instance's name before them. One item of an agent at most. */
  plainNames: z.boolean(),
  /** A person is asked before capabilities of these names are called, unless it was said of one that nobody is. */
  askPatterns: z.array(AskPattern),
  /**
   * Whose word `permissions` are. `shared`: all agents share one container, and it offers this. `own`: the agent's own container
   * offers this to it. `awaited`: that was not asked yet; other agents are offered this, and none of it is listed or called before.
   */
  offer: z.enum(['shared', 'own', 'awaited']),
  /** Every capability of the instance with the decision for this agent; whatever is not allowed is denied. */
  permissions: z.array(
    z.object({
      capability: z.string(),
      /** Its name at the gateway: `<instance name>__<capability>`. */
      gatewayName: z.string(),
      description: z.string().optional(),
      readOnly: z.boolean().optional(),
      destructive: z.boolean().optional(),
      allowed: z.boolean(),
      /** It is allowed when a person says so, each time: by itself, or by a pattern. */
      ask: z.boolean(),
      /** False when it was allowed but the server no longer offers it. */
      offered: z.boolean(),
      /** Present when it was allowed as something else: it is neither listed nor called until the present definition is approved. */
      changed: z.object({ from: Capability, to: Capability }).optional(),
    }),
  ),
})
export type ToolbeltItem = z.infer<typeof ToolbeltItem>

export const AgentToken = z.object({
  id: TokenId,
  name: z.string(),
  hint: z.string(),
  createdAt: Timestamp,
  lastUsedAt: Timestamp.optional(),
  expiresAt: Timestamp.optional(),
})
export type AgentToken = z.infer<typeof AgentToken>

/** Ready to paste; `text` holds the secret, so it is shown once. */
export const ConnectSnippet = z.object({
  client: z.string(),
  title: z.string(),
  language: z.enum(['json', 'shell', 'typescript']),
  text: secret(z.string()),
})
export type ConnectSnippet = z.infer<typeof ConnectSnippet>

const one = z.object({ agentId: AgentId })
/** An item as it is after a change, and what that means for the flow of data. */
const ChangedToolbeltItem = ToolbeltItem.extend({ warnings: z.array(FlowWarning) })

const item = z.object({ agentId: AgentId, toolbeltItemId: ToolbeltItemId })

export const listAgents = defineUserOperation({
  id: 'listAgents',
  summary: 'List the agents',
  method: 'GET',
  path: '/api/agents',
  auth: 'viewer',
  status: 200,
  query: Page,
  reply: pageOf(Agent),
  problems: [],
})
export const createAgent = defineUserOperation({
  id: 'createAgent',
  summary: 'Register an agent',
  method: 'POST',
  path: '/api/agents',
  auth: 'operator',
  status: 201,
  body: z.strictObject({ name: Name, description: z.string().max(500).default('') }),
  reply: Agent,
  problems: ['name-taken', 'idempotency-key-reused'],
})
export const getAgent = defineUserOperation({
  id: 'getAgent',
  summary: 'Read one agent',
  method: 'GET',
  path: '/api/agents/:agentId',
  auth: 'viewer',
  status: 200,
  params: one,
  reply: Agent,
  problems: ['agent-not-found'],
})
export const updateAgent = defineUserOperation({
  id: 'updateAgent',
  summary: 'Rename, describe, limit, switch on or off',
  method: 'PATCH',
  path: '/api/agents/:agentId',
  auth: 'operator',
  status: 200,
  params: one,
  body: z
    .strictObject({
      name: Name,
      description: z.string().max(500),
      enabled: z.boolean(),
      limits: AgentLimits.describe('All of them: what is not in it is not limited, except calls in a minute.'),
    })
    .partial(),
  reply: Agent,
  problems: ['agent-not-found', 'name-taken'],
})
export const removeAgent = defineUserOperation({
  id: 'removeAgent',
  summary: 'Remove an agent with its tokens and toolbelt; its calls stay on record',
  method: 'DELETE',
  path: '/api/agents/:agentId',
  auth: 'admin',
  status: 204,
  params: one,
  problems: ['agent-not-found'],
})

export const grantToolboxAccess = defineUserOperation({
  id: 'grantToolboxAccess',
  summary: 'Let an agent use a toolbox',
  method: 'PUT',
  path: '/api/agents/:agentId/toolboxes/:toolboxId',
  auth: 'operator',
  status: 200,
  params: z.object({ agentId: AgentId, toolboxId: ToolboxId }),
  reply: Agent.extend({ warnings: z.array(FlowWarning) }),
  problems: ['agent-not-found', 'toolbox-not-found', 'data-flow-refused'],
})
export const revokeToolboxAccess = defineUserOperation({
  id: 'revokeToolboxAccess',
  summary: 'Take a toolbox from an agent, with every toolbelt item on it',
  method: 'DELETE',
  path: '/api/agents/:agentId/toolboxes/:toolboxId',
  auth: 'operator',
  status: 200,
  params: z.object({ agentId: AgentId, toolboxId: ToolboxId }),
  reply: Agent,
  problems: ['agent-not-found', 'toolbox-not-found'],
})

export const listAgentTokens = defineUserOperation({
  id: 'listAgentTokens',
  summary: 'List the tokens of an agent',
  method: 'GET',
  path: '/api/agents/:agentId/tokens',
  auth: 'viewer',
  status: 200,
  params: one,
  reply: z.object({ items: z.array(AgentToken) }),
  problems: ['agent-not-found'],
})
export const createAgentToken = defineUserOperation({
  id: 'createAgentToken',
  summary: 'Create a token of an agent; the secret and the snippets are in this reply only',
  method: 'POST',
  path: '/api/agents/:agentId/tokens',
  auth: 'operator',
  status: 201,
  presence: 'of-sessions',
  params: one,
  body: z.strictObject({ name: z.string().min(1).max(100), expiresInDays: z.int().min(1).max(3_650).optional() }),
  reply: z.object({
    token: AgentToken,
    secret: secret(z.string()),
    mcpUrl: z.url(),
    snippets: z.array(ConnectSnippet),
  }),
  problems: ['presence-needed', 'agent-not-found'],
})
export const revokeAgentToken = defineUserOperation({
  id: 'revokeAgentToken',
  summary: 'Revoke a token of an agent',
  method: 'DELETE',
  path: '/api/agents/:agentId/tokens/:tokenId',
  auth: 'operator',
  status: 204,
  params: z.object({ agentId: AgentId, tokenId: TokenId }),
  problems: ['agent-not-found', 'token-not-found'],
})

export const listToolbelt = defineUserOperation({
  id: 'listToolbelt',
  summary: 'List what an agent may use',
  method: 'GET',
  path: '/api/agents/:agentId/toolbelt',
  auth: 'viewer',
  status: 200,
  params: one,
  reply: z.object({ items: z.array(ToolbeltItem) }),
  problems: ['agent-not-found'],
})
export const listToolbeltCapabilities = defineUserOperation({
  id: 'listToolbeltCapabilities',
  summary: 'What an agent is offered by a tool instance in its toolbelt, whether it is allowed or not',
  method: 'GET',
  path: '/api/agents/:agentId/toolbelt/:toolbeltItemId/capabilities',
  auth: 'viewer',
  status: 200,
  params: item,
  reply: z.object({ offer: ToolbeltItem.shape.offer, capabilities: z.array(Capability) }),
  problems: ['agent-not-found', 'toolbelt-item-not-found'],
})
export const addToolbeltItem = defineUserOperation({
  id: 'addToolbeltItem',
  summary: 'Put a tool instance into the toolbelt; every capability is denied until allowed',
  method: 'POST',
  path: '/api/agents/:agentId/toolbelt',
  auth: 'operator',
  status: 201,
  params: one,
  body: z.strictObject({ instanceId: InstanceId, allow: z.array(z.string().min(1).max(256)).max(1_000).default([]) }),
  reply: ChangedToolbeltItem,
  problems: ['data-flow-refused', 'agent-not-found', 'instance-not-found', 'toolbox-access-missing', 'name-taken'],
})
export const updateToolbeltItem = defineUserOperation({
  id: 'updateToolbeltItem',
  summary: 'Switch a toolbelt item on or off; set what of it is allowed or asked for, and its names',
  method: 'PATCH',
  path: '/api/agents/:agentId/toolbelt/:toolbeltItemId',
  auth: 'operator',
  status: 200,
  params: item,
  body: z
    .strictObject({
      enabled: z.boolean(),
      prompts: z.boolean().describe('All prompts of the server, or none.'),
      resources: z.boolean().describe('All resources of the server, or none.'),
      plainNames: z.boolean().describe('Takes it from the item that had it before.'),
      allow: z
        .array(z.string().min(1).max(256))
        .max(1_000)
        .describe('The whole list: what is neither here nor in `ask` is denied. What is asked for stays so.'),
      ask: z
        .array(z.string().min(1).max(256))
        .max(1_000)
        .describe('Allowed, but a person is asked each time. The whole list: of what else is allowed nobody is asked.'),
      askPatterns: z
        .array(AskPattern)
        .max(50)
        .describe(
          'A person is asked before capabilities of these names, too; also for those that nobody was to be asked for.',
        ),
    })
    .partial(),
  reply: ChangedToolbeltItem,
  problems: ['data-flow-refused', 'agent-not-found', 'toolbelt-item-not-found'],
})
export const approveCapabilities = defineUserOperation({
  id: 'approveCapabilities',
  summary:
    'Approve what changed capabilities are now; all of them, or none when one has changed again since it was read',
  method: 'POST',
  path: '/api/agents/:agentId/toolbelt/:toolbeltItemId/approvals',
  auth: 'operator',
  personal: 'consent',
  status: 200,
  params: item,
  body: z.strictObject({
    approve: z
      .array(
        z.strictObject({
          capability: z.string().min(1).max(256),
          digest: z.string().max(128).describe('Of the definition that was looked at: `changed.to.digest`.'),
        }),
      )
      .min(1)
      .max(2_000),
  }),
  reply: ChangedToolbeltItem,
  problems: [
    'data-flow-refused',
    'agent-not-found',
    'toolbelt-item-not-found',
    'capability-denied',
    'capability-changed',
  ],
})
export const removeToolbeltItem = defineUserOperation({
  id: 'removeToolbeltItem',
  summary: 'Take a tool instance out of the toolbelt',
  method: 'DELETE',
  path: '/api/agents/:agentId/toolbelt/:toolbeltItemId',
  auth: 'operator',
  status: 204,
  params: item,
  problems: ['agent-not-found', 'toolbelt-item-not-found'],
})

/** For the agent itself (its token), and for an operator who tries a tool out. */
export const executeCapability = defineUserOperation({
  id: 'executeCapability',
  summary: 'Call one capability; the result is what the MCP server answered',
  method: 'POST',
  path: '/api/agents/:agentId/tools/:toolbeltItemId/execute',
  auth: 'agent',
  status: 200,
  params: item,
  body: z.strictObject({
    capability: z.string().min(1).max(256),
    arguments: z.record(z.string(), z.unknown()).default({}),
    timeoutMs: z.int().min(1).max(3_600_000).default(60_000),
  }),
  reply: z.object({ callId: z.string(), durationMs: z.number(), result: z.record(z.string(), z.unknown()) }),
  problems: [
    'agent-not-found',
    'toolbelt-item-not-found',
    'calls-stopped',
    'agent-disabled',
    'toolbelt-item-disabled',
    'toolbox-access-missing',
    'capability-denied',
    'capability-not-offered',
    'capability-changed',
    'approval-denied',
    'approval-timeout',
    'instance-not-running',
    'missing-credential',
    'toolbox-unreachable',
    'tool-failed',
    'call-timeout',
    'rate-limited',
    'call-stopped',
    'circuit-open',
    'result-too-large',
    'payload-too-large',
    'call-under-way',
    'call-made-before',
    'idempotency-key-reused',
  ],
})
