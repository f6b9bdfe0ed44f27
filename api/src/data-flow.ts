import * as z from 'zod'
import { AgentId, InstanceId, ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/**
 * What a capability means for the flow of data. `private`: it reads what is not for everybody. `untrusted`: it brings in what strangers
 * wrote. `outward`: something can leave by it. Who has all three at once can be made to give private data away by what it reads.
 */
export const FlowLabel = z.enum(['private', 'untrusted', 'outward'])
export type FlowLabel = z.infer<typeof FlowLabel>

/** Why it is thought so: somebody said it, the catalogue does, or it follows from what the tool is given and may reach. */
export const FlowSource = z.enum(['admin', 'catalogue', 'network', 'secrets', 'state'])
export type FlowSource = z.infer<typeof FlowSource>

export const LabelledCapability = z.object({
  /** Absent: the server as a whole, with its prompts and resources. */
  capability: z.string().optional(),
  labels: z.array(z.object({ label: FlowLabel, source: FlowSource })),
  /** An administrator said so. */
  overridden: z.boolean(),
})
export type LabelledCapability = z.infer<typeof LabelledCapability>

/** By what an agent reaches data of one kind: names at the gateway; of prompts and resources the name of the instance. */
const Reach = z.array(z.string())

export const FlowWarning = z.object({
  kind: z.literal('private-untrusted-outward'),
  message: z.string(),
})
export type FlowWarning = z.infer<typeof FlowWarning>

/** Of an agent that a change of labels made so. */
export const AgentFlowWarning = FlowWarning.extend({ agentId: AgentId, agentName: z.string() })
export type AgentFlowWarning = z.infer<typeof AgentFlowWarning>

export const DataFlow = z.object({
  private: Reach,
  untrusted: Reach,
  outward: Reach,
  /** Empty, unless one agent has all three. */
  warnings: z.array(FlowWarning),
})
export type DataFlow = z.infer<typeof DataFlow>

export const getAgentDataFlow = defineUserOperation({
  id: 'getAgentDataFlow',
  summary:
    'By what an agent reads private data, sees what strangers wrote, and can send outwards; with a warning when it does all three',
  method: 'GET',
  path: '/api/agents/:agentId/data-flow',
  auth: 'viewer',
  status: 200,
  params: z.object({ agentId: AgentId }),
  reply: DataFlow,
  problems: ['agent-not-found'],
})

const instance = z.object({ toolboxId: ToolboxId, instanceId: InstanceId })

export const listFlowLabels = defineUserOperation({
  id: 'listFlowLabels',
  summary: 'What each capability of a tool instance means for the flow of data, and why that is thought',
  method: 'GET',
  path: '/api/toolboxes/:toolboxId/tools/:instanceId/data-flow',
  auth: 'viewer',
  status: 200,
  params: instance,
  reply: z.object({ items: z.array(LabelledCapability) }),
  problems: ['toolbox-not-found', 'instance-not-found'],
})

export const putFlowLabels = defineUserOperation({
  id: 'putFlowLabels',
  summary: 'Say what a capability of a tool instance, or all of it, means for the flow of data; or take that back',
  method: 'PUT',
  path: '/api/toolboxes/:toolboxId/tools/:instanceId/data-flow',
  auth: 'admin',
  status: 200,
  params: instance,
  body: z.strictObject({
    capability: z.string().min(1).max(256).optional().describe('Absent: the server as a whole.'),
    labels: z.array(FlowLabel).max(3).nullable().describe('All that hold; null: as the catalogue and the network say.'),
  }),
  reply: z.object({
    items: z.array(LabelledCapability),
    warnings: z.array(AgentFlowWarning).describe('Agents that have all three since then, and had not before.'),
  }),
  problems: ['toolbox-not-found', 'instance-not-found', 'data-flow-refused'],
})
