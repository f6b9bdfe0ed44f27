import { Capability, LogLine, ToolReason, ToolState } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { GroupId, InstanceId, Name, Page, pageOf, Timestamp, ToolboxId, ToolId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

export const ConfigValues = z.record(z.string().max(40), z.union([z.string().max(8_192), z.int(), z.boolean()]))

/** One tool deployed on one toolbox. */
export const ToolInstance = z.object({
  id: InstanceId,
  toolboxId: ToolboxId,
  toolId: ToolId,
  name: Name.describe('Unique on its toolbox; the prefix of its capabilities at the gateway.'),
  /** The group that it was deployed with. */
  groupId: GroupId.optional(),
  /** What was asked for. */
  desired: z.enum(['running', 'stopped', 'absent']),
  generation: z.int(),
  config: ConfigValues,
  /** What was last observed, and of which generation. `unknown` when the toolbox is silent. */
  state: ToolState,
  observedGeneration: z.int().optional(),
  reason: z.optional(ToolReason),
  message: z.string().optional(),
  progress: z.object({ step: z.string(), percent: z.number().optional() }).optional(),
  since: Timestamp.optional(),
  observedAt: Timestamp.optional(),
  restarts: z.int(),
  /** What it runs: an image by its digest, or the one that was built of its package. */
  image: z.string().optional(),
  server: z.object({ name: z.string(), version: z.string(), protocolVersion: z.string() }).optional(),
  capabilityCount: z
    .int()
    .optional()
    .describe('Where each agent has a container of its own: of all that any of them is offered.'),
  createdAt: Timestamp,
})
export type ToolInstance = z.infer<typeof ToolInstance>

const onToolbox = z.object({ toolboxId: ToolboxId })
const one = z.object({ toolboxId: ToolboxId, instanceId: InstanceId })
const base = '/api/toolboxes/:toolboxId/tools'

export const listInstances = defineUserOperation({
  id: 'listInstances',
  summary: 'List the tools of a toolbox',
  method: 'GET',
  path: base,
  auth: 'viewer',
  status: 200,
  params: onToolbox,
  query: Page,
  reply: pageOf(ToolInstance),
  problems: ['toolbox-not-found'],
})

export const deployTool = defineUserOperation({
  id: 'deployTool',
  summary: 'Deploy a tool of the catalogue on a toolbox',
  method: 'POST',
  path: base,
  auth: 'operator',
  status: 202,
  params: onToolbox,
  body: z.strictObject({ toolId: ToolId, name: Name, config: ConfigValues.default({}) }),
  reply: ToolInstance,
  problems: ['toolbox-not-found', 'tool-not-found', 'name-taken', 'invalid-config', 'idempotency-key-reused'],
})

export const getInstance = defineUserOperation({
  id: 'getInstance',
  summary: 'Read one tool instance',
  method: 'GET',
  path: `${base}/:instanceId`,
  auth: 'viewer',
  status: 200,
  params: one,
  reply: ToolInstance,
  problems: ['instance-not-found'],
})

export const updateInstance = defineUserOperation({
  id: 'updateInstance',
  summary: 'Change the configuration of a tool instance',
  method: 'PATCH',
  path: `${base}/:instanceId`,
  auth: 'operator',
  status: 202,
  params: one,
  body: z.strictObject({ config: ConfigValues }),
  reply: ToolInstance,
  problems: ['toolbox-not-found', 'instance-not-found', 'invalid-config', 'instance-in-group'],
})

export const removeInstance = defineUserOperation({
  id: 'removeInstance',
  summary: 'Remove a tool instance, its container and its state',
  method: 'DELETE',
  path: `${base}/:instanceId`,
  auth: 'operator',
  status: 202,
  params: one,
  query: z.object({ force: z.stringbool().default(false).describe('Also takes it out of every toolbelt.') }),
  reply: ToolInstance,
  problems: ['instance-not-found', 'instance-in-use', 'instance-in-group'],
})

const lifecycle = <const Verb extends 'start' | 'stop' | 'restart'>(verb: Verb, summary: string) =>
  defineUserOperation({
    id: `${verb}Instance`,
    summary,
    method: 'POST',
    path: `${base}/:instanceId/${verb}`,
    auth: 'operator',
    status: 202,
    params: one,
    reply: ToolInstance,
    problems: ['toolbox-not-found', 'instance-not-found', 'instance-in-group'],
  })

export const startInstance = lifecycle('start', 'Ask for a tool instance to run')
export const stopInstance = lifecycle('stop', 'Ask for a tool instance to stop')
export const restartInstance = lifecycle('restart', 'Replace the container of a tool instance by a new one')

export const listCapabilities = defineUserOperation({
  id: 'listCapabilities',
  summary: 'What a tool instance offers, as discovered; to all agents, or to any',
  method: 'GET',
  path: `${base}/:instanceId/capabilities`,
  auth: 'viewer',
  status: 200,
  params: one,
  reply: z.object({
    perAgent: z
      .boolean()
      .describe(
        'Each agent has a container of its own, and what these offer may differ: here it is taken together, by the definition that was read last. What one agent is offered is at its toolbelt item.',
      ),
    digest: z.string().optional().describe('Of all of it, where all agents share one container.'),
    capabilities: z.array(Capability),
  }),
  problems: ['instance-not-found'],
})

export const followInstanceLogs = defineUserOperation({
  id: 'followInstanceLogs',
  summary: 'Read or follow the log of a tool instance',
  method: 'GET',
  path: `${base}/:instanceId/logs`,
  auth: 'viewer',
  status: 200,
  params: one,
  query: z.object({
    follow: z.stringbool().default(false),
    tail: z.coerce.number().int().min(0).max(10_000).default(200),
    since: z.string().max(64).optional(),
  }),
  event: LogLine,
  problems: ['instance-not-found', 'toolbox-unreachable', 'rate-limited'],
})
export const readInstanceLogs = defineUserOperation({
  id: 'readInstanceLogs',
  summary: 'Read the last lines of the log of a tool instance: as many of them as have 50,000 characters together',
  method: 'GET',
  path: `${base}/:instanceId/logs/last`,
  auth: 'viewer',
  status: 200,
  params: one,
  query: z.object({ tail: z.coerce.number().int().min(1).max(1_000).default(100) }),
  reply: z.object({ lines: z.array(LogLine).describe('The newest is the last.') }),
  problems: ['instance-not-found', 'toolbox-unreachable'],
})
